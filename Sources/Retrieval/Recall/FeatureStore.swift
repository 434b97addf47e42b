/// A store of features outside of the process, such as a collection in Milvus.
///
/// It holds one ``StoredFeature`` per entry of an index and proposes the nearest ones. It decides
/// no score: ``StoreRecall`` compares the proposals with the features of the index.
///
/// Every operation may be repeated: writing the same rows again changes nothing.
public protocol FeatureStore: Sendable {
    /// The address and the collection, for errors.
    var name: String { get }
    /// A short name for logs and metrics, such as `milvus`.
    var kind: String { get }
    /// The most proposals per query that the store returns.
    var maximumCount: Int { get }

    /// Checks that the store holds features of a model, and creates it if it is missing.
    ///
    /// - Parameters:
    ///   - model: The model that made the features.
    ///   - replacing: Whether to delete what another model has made. Default: false.
    /// - Throws: ``RecallError`` if the store holds something else, or cannot be reached.
    func prepare(for model: ModelSignature, replacing: Bool) async throws

    /// Proposes the features nearest to some queries.
    ///
    /// - Parameters:
    ///   - queries: Unit-length features of E numbers each.
    ///   - count: The number of proposals per query, at most ``maximumCount``.
    ///   - filters: Conditions, all of which should hold; the store may propose others as well.
    ///   - model: The model that made the queries.
    /// - Returns: For each query its proposals, nearest first; fewer than `count` only if the
    ///   store found no more.
    /// - Throws: ``RecallError``.
    func nearest(
        to queries: [[Float]], count: Int, where filters: [MetadataFilter],
        model: ModelSignature
    ) async throws -> [[StoredFeature.Reference]]

    /// Returns the versions of all rows in a range, by their ids.
    ///
    /// - Throws: ``RecallError``.
    func versions(in range: StoreRange) async throws -> [String: Int64]

    /// Writes rows; rows with the same ids are replaced.
    ///
    /// - Throws: ``RecallError``; then any part of the rows may have been written.
    func write(_ rows: [StoredFeature]) async throws

    /// Deletes the rows with some ids; ids without a row do not matter.
    ///
    /// - Throws: ``RecallError``; then any part of the rows may have been deleted.
    func remove(_ ids: [String]) async throws

    /// Makes everything that was written durable.
    ///
    /// - Throws: ``RecallError``.
    func flush() async throws
}

/// A row of a ``FeatureStore``: the feature of one entry, and what its filters compare.
public struct StoredFeature: Sendable, Hashable {
    /// The key of the entry, as 32 hexadecimal digits.
    public let id: String
    /// The unit-length feature, E numbers.
    public let feature: [Float]
    /// The JSON object with what filters compare; see `StoredFields`.
    public let fields: String
    /// Where the entry was when it was written; see ``Reference/place``.
    public let place: Int64
    /// A digest of everything else, which tells whether a row is up to date.
    public let version: Int64

    /// Creates a row.
    public init(id: String, feature: [Float], fields: String, place: Int64, version: Int64) {
        self.id = id
        self.feature = feature
        self.fields = fields
        self.place = place
        self.version = version
    }

    /// What a store returns of a row.
    public struct Reference: Sendable, Hashable {
        /// The key of the entry as 32 hexadecimal digits; any text, if others wrote the row.
        public let id: String
        /// The segment and the row of the entry when it was written.
        ///
        /// The index may have been compacted since, so that this is only where to look first.
        public let place: Int64

        /// Creates a reference.
        public init(id: String, place: Int64) {
            self.id = id
            self.place = place
        }
    }
}

/// A part of the keys: all ids from `lower` to just below `upper`, compared as text.
public struct StoreRange: Sendable, Hashable, CustomStringConvertible {
    /// The smallest id.
    public let lower: String
    /// The id above all others; nil for no bound.
    public let upper: String?

    /// Creates a range.
    public init(from lower: String, to upper: String?) {
        self.lower = lower
        self.upper = upper
    }

    /// Returns whether an id lies in the range.
    public func contains(_ id: String) -> Bool {
        // Ids are compared by their bytes, as stores do.
        !id.utf8.lexicographicallyPrecedes(lower.utf8)
            && upper.map { id.utf8.lexicographicallyPrecedes($0.utf8) } ?? true
    }

    /// The bounds.
    public var description: String { "\(lower.isEmpty ? "0" : lower)…\(upper ?? "f")" }

    /// Splits all ids into ranges of nearly equal size; keys are digests and thus spread evenly.
    ///
    /// - Parameter count: The number of ranges, from 1 to 16,777,216.
    package static func all(_ count: Int) -> [StoreRange] {
        let (digits, count) = (6, max(1, min(count, 1 << 24)))
        let bounds = (1..<max(count, 1)).map { part in
            let text = String(part * (1 << 24) / count, radix: 16)
            return String(repeating: "0", count: digits - text.count) + text
        }
        return zip([""] + bounds, bounds.map(Optional.some) + [nil]).map {
            StoreRange(from: $0, to: $1)
        }
    }
}
