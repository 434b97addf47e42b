import Foundation
import Retrieval
import Synchronization

/// A store in this process, which keeps what it is given and compares all of it.
///
/// It evaluates conditions as Milvus does: by an expression over the JSON of each row.
final class MemoryStore: FeatureStore {
    struct State {
        var rows: [String: StoredFeature] = [:]
        var writes = 0
        var questions = 0
        /// The numbers of the writes that fail.
        var failing: Set<Int> = []
        var model: ModelSignature?
    }

    let state = Mutex(State())
    let maximumCount: Int

    init(maximumCount: Int = 16_384) { self.maximumCount = maximumCount }

    var name: String { "memory" }
    var kind: String { "memory" }

    func prepare(for model: ModelSignature, replacing: Bool) async throws {
        state.withLock {
            if replacing, $0.model != model { $0.rows = [:] }
            $0.model = model
        }
    }

    func nearest(
        to queries: [[Float]], count: Int, where filters: [MetadataFilter], model: ModelSignature
    ) async throws -> [[StoredFeature.Reference]] {
        // Let others run, as a call over a network does.
        await Task.yield()
        let expression = try MilvusExpressionReader(MilvusExpression(filters).description)
        let rows = state.withLock { state in
            state.questions += 1
            return Array(state.rows.values)
        }
        let fitting = try rows.filter { try expression.holds($0.fields) }
        return queries.map { query in
            func similarity(_ row: StoredFeature) -> Float {
                zip(row.feature, query).reduce(0) { $0 + $1.0 * $1.1 }
            }
            return fitting.map { (similarity($0), $0) }.sorted { $0.0 > $1.0 }.prefix(count).map {
                StoredFeature.Reference(id: $0.1.id, place: $0.1.place)
            }
        }
    }

    func versions(in range: StoreRange) async throws -> [String: Int64] {
        state.withLock { state in
            state.rows.filter { range.contains($0.key) }.mapValues(\.version)
        }
    }

    func write(_ rows: [StoredFeature]) async throws {
        try state.withLock { state in
            state.writes += 1
            if state.failing.contains(state.writes) {
                throw RecallError.refused("memory", "write rows", "no more room")
            }
            for row in rows { state.rows[row.id] = row }
        }
    }

    func remove(_ ids: [String]) async throws {
        state.withLock { for id in ids { $0.rows[id] = nil } }
    }

    func flush() async throws {}
}
