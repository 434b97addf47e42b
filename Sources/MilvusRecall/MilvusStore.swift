#if Milvus
    import Foundation
    public import Retrieval
    import SwiftProtobuf
    import Synchronization

    /// A collection in Milvus as a store of features.
    ///
    /// The collection has the fields `id` (the entry's key), `feature`, `fields` (JSON), `place` and
    /// `version`; see Documentation/milvus.md.
    ///
    /// ```swift
    /// let store = MilvusStore(try MilvusAddress("milvus://127.0.0.1:19530/images"))
    /// let searcher = try Searcher(model, index, recall: StoreRecall(store))
    /// ```
    public final class MilvusStore: FeatureStore {
        let connection: MilvusConnection
        var address: MilvusAddress { connection.address }
        /// What is known of the collection after the first search.
        private let known = Mutex<Known?>(nil)

        struct Known: Sendable, Hashable {
            /// The description of the model, as the collection has it.
            let description: String
            /// The kind of the index.
            let index: MilvusAddress.IndexKind
        }

        /// Prepares a client, which connects with the first operation.
        ///
        /// - Parameters:
        ///   - address: The server and the collection.
        ///   - patience: The seconds after which an operation gives up, if the address names none.
        ///     Default: 10.
        public init(_ address: MilvusAddress, patience: Double = 10) {
            connection = MilvusConnection(address, patience: patience)
        }

        /// Ends the connection; the next operation opens another one.
        public func close() { connection.close() }

        /// The address, without a token.
        public var name: String { "\(address)" }

        /// The name `milvus`.
        public var kind: String { "milvus" }

        /// Milvus proposes at most 16,384 rows.
        public var maximumCount: Int { 16_384 }

        /// Returns whether the server answers and is healthy.
        ///
        /// - Throws: `RecallError` if it does not answer.
        public func isHealthy() async throws -> Bool {
            try await connection.call(
                "CheckHealth", MilvusEmpty(), returning: MilvusHealthResponse.self,
                to: "ask for its health", status: \.status
            ).isHealthy
        }

        /// Returns the version of the server.
        ///
        /// - Throws: `RecallError`.
        public func serverVersion() async throws -> String {
            try await connection.call(
                "GetVersion", MilvusEmpty(), returning: MilvusVersionResponse.self,
                to: "ask for its version", status: \.status
            ).version
        }

        /// Returns the number of rows.
        ///
        /// - Throws: `RecallError`.
        public func count() async throws -> Int {
            var request = query("", ["count(*)"])
            request.queryParams = []
            let answer = try await run(request, to: "count the rows")
            return answer.fieldsData.first.map { Int($0.scalars.longData.data.first ?? 0) } ?? 0
        }

        /// Returns what is known of the collection, and checks it at the first time.
        ///
        /// - Throws: `RecallError` if it is missing or has features of another model.
        func checked(_ model: ModelSignature) async throws -> Known {
            let found: Known
            if let known = known.withLock({ $0 }) {
                found = known
            } else {
                guard let made = try await describe() else {
                    throw RecallError.mismatch(
                        name,
                        "the collection does not exist; create it with 'albef index push INDEX"
                            + " \(address)'")
                }
                found = made
                known.withLock { $0 = found }
            }
            if let difference = Self.difference(found, model) {
                known.withLock { $0 = nil }
                throw RecallError.mismatch(name, difference)
            }
            return found
        }

        func forget() { known.withLock { $0 = nil } }

        /// The description that a collection of a model's features has.
        static func description(of model: ModelSignature) -> String {
            "albef features 1, width \(model.embeddingWidth), model"
                + " \(model.recall?.fingerprint ?? model.fingerprint)"
        }

        /// Describes why a collection cannot have a model's features; nil if it can.
        static func difference(_ known: Known, _ model: ModelSignature) -> String? {
            if known.description == description(of: model) { return nil }
            return known.description.hasPrefix("albef features ")
                ? "the collection has features of another model; 'albef index push --replace'"
                    + " deletes them and writes those of this index"
                : "the collection was not made by 'albef index push'; name another one"
        }
    }
#endif
