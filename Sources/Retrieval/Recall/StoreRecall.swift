import Dispatch
import Synchronization
import Torch

/// Recall from a ``FeatureStore``, whose proposals are compared exactly with the index's features.
///
/// A proposal that the index does not have, or that does not fulfil the conditions, is left out;
/// the store is then asked for more. So an outdated store costs time and may miss new entries, but
/// never invents a result. Requests with a ``RecallMethod`` are left to the embedded index.
///
/// A search waits for the store on its own thread.
public final class StoreRecall: CandidateRecall {
    /// The numbers of proposals since the recall was created.
    public struct Counts: Sendable, Hashable {
        /// The proposals that became candidates.
        public internal(set) var kept = 0
        /// The proposals that the index does not have.
        public internal(set) var unknown = 0
        /// The proposals whose entries do not fulfil the conditions.
        public internal(set) var unfit = 0
    }

    private let store: any FeatureStore
    private let tasks = BlockingTasks()
    private let state = Mutex(Counts())

    /// Creates a recall that asks a store.
    public init(_ store: any FeatureStore) { self.store = store }

    /// The short name of the store.
    public var kind: String { store.kind }

    /// The numbers of proposals so far.
    public var counts: Counts { state.withLock { $0 } }

    /// Returns the candidates of each request; requests with equal conditions and counts share one
    /// question to the store.
    ///
    /// - Complexity: One question to the store, and O(k) comparisons for k candidates. The first
    ///   proposal whose entry has moved since it was written reads the keys of all entries.
    public func candidates(
        for requests: [RecallRequest], in index: ForwardIndex, locator: EntryLocator
    ) -> [Result<[Candidate], any Error>] {
        struct Question: Hashable {
            let filters: [MetadataFilter]
            let count: Int
        }
        var groups: [Question: [Int]] = [:]
        var results: [Result<[Candidate], any Error>] = requests.map { _ in .success([]) }
        for (position, request) in requests.enumerated() {
            let count = min(request.count, index.count)
            if request.method != nil {
                results[position] =
                    EmbeddedRecall().candidates(
                        for: [request], in: index, locator: locator)[0]
            } else if count > 0 {
                groups[Question(filters: request.filters, count: count), default: []]
                    .append(position)
            }
        }
        for (question, positions) in groups {
            let found = answer(
                positions.map { requests[$0] }, count: question.count, question.filters,
                StoreProposals(index: index, locator: locator, filters: question.filters))
            for (position, result) in zip(positions, found) { results[position] = result }
        }
        return results
    }

    private func answer(
        _ requests: [RecallRequest], count: Int, _ filters: [MetadataFilter],
        _ proposals: StoreProposals
    ) -> [Result<[Candidate], any Error>] {
        var results: [Result<[Candidate], any Error>?] = requests.map { request in
            do { try request.limit.check() } catch { return .failure(error) }
            return nil
        }
        var queries: [(position: Int, query: QuantizedQuery)] = []
        for position in requests.indices where results[position] == nil {
            do {
                queries.append((position, try proposals.query(requests[position].feature)))
            } catch { results[position] = .failure(error) }
        }
        var asked = count
        while !queries.isEmpty {
            do {
                guard asked <= store.maximumCount else {
                    throw RecallError.tooMany(store.name, asked, limit: store.maximumCount)
                }
                let found = try nearest(
                    queries.map(\.query.values), asked, filters, proposals.index.model,
                    limit: queries.count == 1 ? requests[queries[0].position].limit : WorkLimit())
                var short: [(position: Int, query: QuantizedQuery)] = []
                for (item, references) in zip(queries, found) {
                    let sorted = try proposals.sorted(references, by: item.query)
                    let isEnough =
                        sorted.candidates.count >= count || references.count < asked
                        || asked == store.maximumCount
                    guard isEnough else {
                        short.append(item)
                        continue
                    }
                    state.withLock { $0.add(sorted.counts) }
                    results[item.position] = .success(Array(sorted.candidates.prefix(count)))
                }
                queries = short
                asked = min(max(2 * asked, 64), store.maximumCount)
            } catch {
                for item in queries { results[item.position] = .failure(error) }
                queries = []
            }
        }
        return results.map { $0 ?? .success([]) }
    }

    private func nearest(
        _ queries: [[Float]], _ count: Int, _ filters: [MetadataFilter], _ model: ModelSignature,
        limit: WorkLimit
    ) throws -> [[StoredFeature.Reference]] {
        let store = store
        return try tasks.wait(for: limit) {
            try await store.nearest(to: queries, count: count, where: filters, model: model)
        }
    }
}

extension StoreRecall.Counts {
    fileprivate mutating func add(_ other: Self) {
        kept += other.kept
        unknown += other.unknown
        unfit += other.unfit
    }
}

/// Turns the proposals of a store into candidates of an index.
private struct StoreProposals {
    let index: ForwardIndex
    let locator: EntryLocator
    let filters: [MetadataFilter]

    /// Returns a query in the form that the index compares.
    ///
    /// - Throws: ``QueryError`` if it is not `E` finite numbers.
    func query(_ feature: Tensor) throws -> QuantizedQuery {
        let width = index.model.embeddingWidth
        guard feature.shape == [width] else { throw QueryError.shape(feature.shape, width: width) }
        return try QuantizedQuery(feature.to(.cpu).to(.float32).values())
    }

    /// Returns the candidates, nearest first, and how many proposals were left out.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    func sorted(
        _ references: [StoredFeature.Reference], by query: QuantizedQuery
    ) throws -> (candidates: [Candidate], counts: StoreRecall.Counts) {
        var counts = StoreRecall.Counts()
        var found: [Candidate] = []
        var seen: Set<ForwardIndex.EntryID> = []
        for reference in references {
            guard let key = EntryKey(hexadecimal: reference.id), let id = try find(key, reference)
            else {
                counts.unknown += 1
                continue
            }
            guard seen.insert(id).inserted else { continue }
            if !filters.isEmpty {
                let entry = try index.entry(id)
                guard filters.allSatisfy({ $0(entry) }) else {
                    counts.unfit += 1
                    continue
                }
            }
            let similarity = index.segments[id.segment].product(id.row, query.values)
            if !similarity.isNaN { found.append(Candidate(id: id, similarity: similarity)) }
        }
        counts.kept = found.count
        return (found.sorted(), counts)
    }

    private func find(
        _ key: EntryKey, _ reference: StoredFeature.Reference
    ) throws -> ForwardIndex.EntryID? {
        if let id = StoredPlace(reference.place).entry(in: index),
            EntryKey(try index.entry(id).path) == key
        {
            return id
        }
        return try locator.find(key, in: index)
    }
}
