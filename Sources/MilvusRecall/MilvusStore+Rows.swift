#if Milvus
    import Foundation
    public import Retrieval
    import SwiftProtobuf

    extension MilvusStore {
        /// Writes rows; rows with the same ids are replaced.
        ///
        /// - Throws: `RecallError`; then any part of the rows may have been written.
        public func write(_ rows: [StoredFeature]) async throws {
            guard let width = rows.first?.feature.count else { return }
            let answer = try await connection.call(
                "Upsert",
                MilvusUpsertRequest.with {
                    $0.dbName = address.database
                    $0.collectionName = address.collection
                    $0.numRows = UInt32(rows.count)
                    $0.fieldsData = [
                        .of(Field.id, strings: rows.map(\.id)),
                        .of(Field.feature, vectors: rows.map(\.feature), width: width),
                        .of(Field.fields, json: rows.map(\.fields)),
                        .of(Field.place, numbers: rows.map(\.place)),
                        .of(Field.version, numbers: rows.map(\.version)),
                    ]
                }, returning: MilvusMutationResult.self, to: "write rows", status: \.status)
            guard answer.errIndex.isEmpty else {
                let ids = answer.errIndex.compactMap { row in
                    rows.indices.contains(Int(row)) ? rows[Int(row)].id : nil
                }
                throw RecallError.refused(
                    name, "write \(ids.count) of \(rows.count) rows",
                    "the first has the id \(ids.first ?? "unknown")")
            }
        }

        /// Deletes the rows with some ids.
        ///
        /// - Throws: `RecallError`; then any part of the rows may have been deleted.
        public func remove(_ ids: [String]) async throws {
            guard !ids.isEmpty else { return }
            _ = try await connection.call(
                "Delete",
                MilvusDeleteRequest.with {
                    $0.dbName = address.database
                    $0.collectionName = address.collection
                    $0.expr = MilvusExpression.ids(ids, field: Field.id)
                }, returning: MilvusMutationResult.self, to: "delete rows", status: \.status)
        }

        /// Seals what was written, so that the server can index it.
        ///
        /// - Throws: `RecallError`.
        public func flush() async throws {
            _ = try await connection.call(
                "Flush",
                MilvusFlushRequest.with {
                    $0.dbName = address.database
                    $0.collectionNames = [address.collection]
                }, returning: MilvusStatusResponse.self, to: "flush", status: \.status)
        }

        /// Returns the versions of all rows in a range, by their ids.
        ///
        /// - Throws: `RecallError`.
        public func versions(in range: StoreRange) async throws -> [String: Int64] {
            let answer = try await run(
                query(
                    MilvusExpression.range(range, field: Field.id), [Field.id, Field.version],
                    limit: maximumCount), to: "read the versions of rows")
            var (ids, found): ([String], [Int64]) = ([], [])
            for field in answer.fieldsData {
                switch field.fieldName {
                case Field.id: ids = field.scalars.stringData.data
                case Field.version: found = field.scalars.longData.data
                default: break
                }
            }
            guard ids.count == found.count else {
                throw RecallError.refused(
                    name, "read the versions of rows",
                    "the answer has \(ids.count) ids and \(found.count) versions")
            }
            if ids.count == maximumCount {
                // There may be more: ask for both halves.
                let middle = ids.sorted()[ids.count / 2]
                let lower = StoreRange(from: range.lower, to: middle)
                let upper = StoreRange(from: middle, to: range.upper)
                return try await versions(in: lower).merging(versions(in: upper)) { $1 }
            }
            return Dictionary(zip(ids, found)) { $1 }
        }

        /// Proposes the features nearest to some queries.
        ///
        /// - Throws: `RecallError` if the collection is missing or has features of another model,
        ///   or the server does not answer.
        public func nearest(
            to queries: [[Float]], count: Int, where filters: [MetadataFilter],
            model: ModelSignature
        ) async throws -> [[StoredFeature.Reference]] {
            guard !queries.isEmpty else { return [] }
            let known = try await checked(model)
            let request = try search(queries, count, MilvusExpression(filters), known.index)
            let answer = try await connection.call(
                "Search", request, returning: MilvusSearchResults.self, to: "search",
                status: \.status)
            return try references(answer.results, queries: queries.count)
        }

        private func search(
            _ queries: [[Float]], _ count: Int, _ expression: MilvusExpression,
            _ index: MilvusAddress.IndexKind
        ) throws -> MilvusSearchRequest {
            let group = MilvusPlaceholderGroup.with {
                $0.placeholders = [
                    .with {
                        $0.tag = "$0"
                        $0.type = .floatVector
                        $0.values = queries.map { query in
                            query.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Data($0) }
                        }
                    }
                ]
            }
            let bytes: Data
            do { bytes = try group.serializedBytes() } catch {
                throw RecallError.refused(name, "write the query", "\(error)")
            }
            return .with {
                $0.dbName = address.database
                $0.collectionName = address.collection
                $0.dsl = expression.description
                $0.dslType = .boolean
                $0.placeholderGroup = bytes
                $0.nq = Int64(queries.count)
                $0.outputFields = [Field.place]
                $0.consistencyLevel = address.settings.consistency.level
                $0.searchParams = [
                    .of("anns_field", Field.feature), .of("topk", "\(count)"),
                    .of("metric_type", "IP"), .of("round_decimal", "-1"),
                    .of("params", address.settings.searching(index, count: count)),
                ]
            }
        }

        private func references(
            _ results: MilvusSearchResultData, queries: Int
        ) throws -> [[StoredFeature.Reference]] {
            let ids = results.ids.strID.data
            let places =
                results.fieldsData.first { $0.fieldName == Field.place }?.scalars.longData.data
                ?? Array(repeating: -1, count: ids.count)
            let counts = results.topks.map { Int($0) }
            // An empty answer has no counts.
            if ids.isEmpty { return Array(repeating: [], count: queries) }
            guard counts.count == queries, counts.allSatisfy({ $0 >= 0 }),
                counts.reduce(0, +) == ids.count, places.count == ids.count
            else {
                throw RecallError.refused(
                    name, "search",
                    "the answer has \(ids.count) ids for \(counts.count) of \(queries) queries")
            }
            var start = 0
            return counts.map { count in
                defer { start += count }
                return (start..<start + count).map { .init(id: ids[$0], place: places[$0]) }
            }
        }

        // MARK: Queries by conditions

        func query(_ expression: String, _ fields: [String], limit: Int? = nil)
            -> MilvusQueryRequest
        {
            .with {
                $0.dbName = address.database
                $0.collectionName = address.collection
                $0.expr = expression
                $0.outputFields = fields
                $0.queryParams = limit.map { [.of("limit", "\($0)")] } ?? []
                // A push compares what it has written itself.
                $0.consistencyLevel = .strong
            }
        }

        func run(_ request: MilvusQueryRequest, to what: String) async throws
            -> MilvusQueryResults
        {
            try await connection.call(
                "Query", request, returning: MilvusQueryResults.self, to: what, status: \.status)
        }
    }

    extension MilvusAddress.Consistency {
        var level: MilvusConsistency {
            switch self {
            case .strong: .strong
            case .bounded: .bounded
            case .eventually: .eventually
            }
        }
    }

    extension MilvusFieldData {
        package static func of(_ name: String, strings: [String]) -> MilvusFieldData {
            .with {
                $0.type = .varchar
                $0.fieldName = name
                $0.scalars.stringData.data = strings
            }
        }

        package static func of(_ name: String, json: [String]) -> MilvusFieldData {
            .with {
                $0.type = .json
                $0.fieldName = name
                $0.scalars.jsonData.data = json.map { Data($0.utf8) }
            }
        }

        package static func of(_ name: String, numbers: [Int64]) -> MilvusFieldData {
            .with {
                $0.type = .int64
                $0.fieldName = name
                $0.scalars.longData.data = numbers
            }
        }

        package static func of(_ name: String, vectors: [[Float]], width: Int) -> MilvusFieldData {
            .with {
                $0.type = .floatVector
                $0.fieldName = name
                $0.vectors.dim = Int64(width)
                $0.vectors.floatVector.data = vectors.flatMap(\.self)
            }
        }
    }
#endif
