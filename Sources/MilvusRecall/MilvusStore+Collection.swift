#if Milvus
    import Foundation
    public import Retrieval
    import SwiftProtobuf

    extension MilvusStore {
        /// The names of the collection's fields.
        enum Field {
            static let id = "id"
            static let feature = "feature"
            static let fields = MilvusExpression.field
            static let place = "place"
            static let version = "version"
        }

        /// Creates the collection and its index if they are missing, and loads it.
        ///
        /// - Throws: `RecallError` if the collection has features of another model and `replacing`
        ///   is false, or was made by another program; or if the server refuses.
        public func prepare(for model: ModelSignature, replacing: Bool = false) async throws {
            forget()
            var found = try await describe()
            if let known = found, let difference = Self.difference(known, model) {
                guard replacing, known.description.hasPrefix("albef features ") else {
                    throw RecallError.mismatch(name, difference)
                }
                try await drop()
                found = nil
            }
            if found == nil { try await create(for: model) }
            try await load()
        }

        /// Deletes the collection with all its rows.
        ///
        /// - Throws: `RecallError`.
        public func drop() async throws {
            forget()
            _ = try await connection.call(
                "DropCollection", collection(), returning: MilvusStatus.self,
                to: "delete the collection", status: \.self)
        }

        private func collection() -> MilvusCollectionRequest {
            .with {
                $0.dbName = address.database
                $0.collectionName = address.collection
            }
        }

        /// Returns the description and the index of the collection; nil if it does not exist.
        func describe() async throws -> Known? {
            let answer = try await connection.call(
                "DescribeCollection", collection(),
                returning: MilvusDescribeCollectionResponse.self,
                to: "describe the collection"
            ) { $0.status.isMissingCollection ? MilvusStatus() : $0.status }
            if answer.status.isMissingCollection { return nil }
            let index = try await connection.call(
                "DescribeIndex", indexRequest, returning: MilvusDescribeIndexResponse.self,
                to: "describe the index"
            ) { $0.indexDescriptions.isEmpty ? MilvusStatus() : $0.status }
            let kind = index.indexDescriptions.first?.params.first { $0.key == "index_type" }
            return Known(
                description: answer.schema.description_p,
                index: kind.flatMap { .init(rawValue: $0.value) } ?? address.settings.index)
        }

        private func create(for model: ModelSignature) async throws {
            let schema = MilvusCollectionSchema.with {
                $0.name = address.collection
                $0.description_p = Self.description(of: model)
                $0.fields = [
                    Self.field(Field.id, .varchar, isKey: true, ["max_length": "32"]),
                    Self.field(
                        Field.feature, .floatVector, ["dim": "\(model.embeddingWidth)"]),
                    Self.field(Field.fields, .json), Self.field(Field.place, .int64),
                    Self.field(Field.version, .int64),
                ]
            }
            let bytes: Data
            do { bytes = try schema.serializedBytes() } catch {
                throw RecallError.refused(name, "write the schema", "\(error)")
            }
            _ = try await connection.call(
                "CreateCollection",
                MilvusCreateCollectionRequest.with {
                    $0.dbName = address.database
                    $0.collectionName = address.collection
                    $0.schema = bytes
                    $0.shardsNum = Int32(address.settings.shards)
                    $0.consistencyLevel = .bounded
                }, returning: MilvusStatus.self, to: "create the collection", status: \.self)
            _ = try await connection.call(
                "CreateIndex",
                MilvusCreateIndexRequest.with {
                    $0.dbName = address.database
                    $0.collectionName = address.collection
                    $0.fieldName = Field.feature
                    $0.indexName = Field.feature
                    $0.extraParams = [
                        // Features have unit length, so the inner product is the cosine.
                        .of("metric_type", "IP"),
                        .of("index_type", address.settings.index.rawValue),
                        .of("params", address.settings.building(address.settings.index)),
                    ]
                }, returning: MilvusStatus.self, to: "create the index", status: \.self)
        }

        private static func field(
            _ name: String, _ type: MilvusValueType, isKey: Bool = false,
            _ parameters: [String: String] = [:]
        ) -> MilvusFieldSchema {
            .with {
                $0.name = name
                $0.dataType = type
                $0.isPrimaryKey = isKey
                $0.typeParams = parameters.map { .of($0.key, $0.value) }
            }
        }

        /// Loads the collection into the server's memory, and waits for it.
        private func load() async throws {
            _ = try await connection.call(
                "LoadCollection",
                MilvusLoadCollectionRequest.with {
                    $0.dbName = address.database
                    $0.collectionName = address.collection
                    $0.replicaNumber = Int32(address.settings.replicas)
                }, returning: MilvusStatus.self, to: "load the collection", status: \.self)
            while try await loadState() == .loading {
                try await Task.sleep(for: .milliseconds(200))
            }
        }

        private func loadState() async throws -> MilvusLoadState {
            try await connection.call(
                "GetLoadState",
                MilvusLoadStateRequest.with {
                    $0.dbName = address.database
                    $0.collectionName = address.collection
                }, returning: MilvusLoadStateResponse.self, to: "load the collection",
                status: \.status
            ).state
        }
    }

    extension MilvusStore {
        /// Waits until the server has indexed what was flushed.
        ///
        /// Searches find new rows before, but until the server searches the indexed rows it uses an
        /// index of its own for them, which misses more.
        ///
        /// - Parameter rows: The number of rows in the collection, which the server counts only once
        ///   they are flushed.
        /// - Throws: `RecallError`; `CancellationError` if the task is cancelled.
        public func waitForIndex(of rows: Int) async throws {
            while true {
                let answer = try await connection.call(
                    "DescribeIndex", indexRequest, returning: MilvusDescribeIndexResponse.self,
                    to: "describe the index", status: \.status)
                let isDone = answer.indexDescriptions.allSatisfy {
                    $0.totalRows >= rows && $0.indexedRows >= $0.totalRows
                }
                if isDone { return }
                try await Task.sleep(for: .milliseconds(200))
            }
        }

        /// Loads the collection anew, so that searches use the index of all rows that were flushed.
        ///
        /// Meanwhile searches fail.
        ///
        /// - Throws: `RecallError`.
        package func reload() async throws {
            _ = try await connection.call(
                "ReleaseCollection", collection(), returning: MilvusStatus.self,
                to: "release the collection", status: \.self)
            try await load()
        }

        private var indexRequest: MilvusDescribeIndexRequest {
            .with {
                $0.dbName = address.database
                $0.collectionName = address.collection
                $0.fieldName = Field.feature
            }
        }
    }

    extension MilvusKeyValue {
        package static func of(_ key: String, _ value: String) -> MilvusKeyValue {
            .with {
                $0.key = key
                $0.value = value
            }
        }
    }

    extension MilvusAddress.Settings {
        /// The parameters with which an index is built, as JSON.
        func building(_ kind: MilvusAddress.IndexKind) -> String {
            switch kind {
            case .hnsw: "{\"M\":\(links),\"efConstruction\":\(building)}"
            case .flat: "{}"
            case .ivfSQ8: "{\"nlist\":\(lists)}"
            }
        }

        /// The parameters of a search, as JSON.
        func searching(_ kind: MilvusAddress.IndexKind, count: Int) -> String {
            switch kind {
            case .hnsw: "{\"ef\":\(min(32_768, max(searching, count)))}"
            case .flat: "{}"
            case .ivfSQ8: "{\"nprobe\":\(probes)}"
            }
        }
    }
#endif
