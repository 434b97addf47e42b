import Foundation
import Retrieval
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Limits of a search", .oneModelAndTwo)
struct SearchLimitTests {
    private func withSearcher(
        _ budget: TokenBudget? = nil,
        _ body: (Searcher, _ index: FilePath, _ paths: [FilePath]) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(90, to: folder.appending("photos"))
            let model = try TinyModel.search(in: folder)
            let index = folder.appending("index")
            _ = try await Indexer(model, options: .init(budget: budget))
                .update(index, with: folder.appending("photos"))
            try body(Searcher(model, ForwardIndex(index)), index, paths)
        }
    }

    /// A limit that is reached when it is asked for the n-th time.
    private func limit(cancelledAt count: Int) -> (WorkLimit, asked: () -> Int) {
        let counter = Counter()
        let limit = WorkLimit(isCancelled: { counter.next() >= count })
        return (limit, { counter.value })
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    @Test("A request whose time is over or that was cancelled fails alone")
    func failsAlone() async throws {
        try await withSearcher { searcher, _, paths in
            let options = SearchOptions(count: 5, candidates: 20)
            let late = WorkLimit(deadline: .now - .seconds(1))
            let answers = searcher.search([
                (.text("two dogs"), options, WorkLimit()),
                (.text("a man in a hat"), options, late),
                (.image(.file(paths[0])), options, WorkLimit(isCancelled: { true })),
                (.text("a red bus"), options, WorkLimit()),
            ])
            for place in [0, 3] {
                let answer = try answers[place].get()
                #expect(answer.results.count == 5)
            }
            let timeout = #expect(throws: QueryError.self) { try answers[1].get() }
            #expect(timeout?.isTimeout == true && timeout == .timeout)
            #expect(throws: CancellationError.self) { try answers[2].get() }
        }
    }

    @Test("A limit is asked again between the batches of the fusion encoder")
    func askedBetweenBatches() async throws {
        try await withSearcher { searcher, _, _ in
            let options = SearchOptions(count: 5, candidates: 90)
            let (never, asked) = limit(cancelledAt: .max)
            _ = try searcher.search(.text("two dogs"), options, limit: never)
            let total = asked()
            // Before each of the stages, and before each of two batches at least.
            #expect(total >= 4)
            let (last, _) = limit(cancelledAt: total)
            let other = WorkLimit()
            let answers = searcher.search([
                (.text("two dogs"), options, last), (.text("a red bus"), options, other),
            ])
            #expect(throws: CancellationError.self) { try answers[0].get() }
            #expect(try answers[1].get().reranked == 90)
        }
    }

    @Test("Reading candidates' files counts against the time for re-ranking, and is limited")
    func files() async throws {
        try await withSearcher(TokenBudget(count: 0)) { searcher, _, _ in
            var options = SearchOptions(count: 90, candidates: 90)
            options.timeBudget = .zero
            let answer = try searcher.search(.text("two dogs"), options)
            #expect(answer.reranked == 1 && answer.results.count == 90)
            options.timeBudget = nil
            let (never, asked) = limit(cancelledAt: .max)
            #expect(
                try searcher.search(.text("two dogs"), options, limit: never).reranked == 90)
            #expect(asked() > 90)
            let (middle, _) = limit(cancelledAt: 40)
            #expect(throws: CancellationError.self) {
                try searcher.search(.text("two dogs"), options, limit: middle)
            }
        }
    }

    @Test("A damaged entry among the candidates is an error, not a candidate that was not read")
    func damagedCandidate() async throws {
        try await withSearcher(TokenBudget(count: 0)) { searcher, index, _ in
            var options = SearchOptions(count: 90, candidates: 0)
            let last = try #require(
                try searcher.search(.text("two dogs"), options).results.last)
            try IndexFiles(index).damageEntry(last.path)
            let model = try TinyModel.opened(in: index.removingLastComponent())
            let damaged = try Searcher(model, ForwardIndex(index))
            options = SearchOptions(count: 1, candidates: 90)
            #expect(throws: IndexError.self) {
                try damaged.search(.text("two dogs"), options)
            }
        }
    }

    @Test("An answer says that a graph could not be followed")
    func notes() async throws {
        try await withSearcher { searcher, index, _ in
            #expect(try searcher.search(.text("two dogs"), SearchOptions()).notes.isEmpty)
            try ForwardIndex.makeGraph(index)
            let files = IndexFiles(index)
            try files.change(files.graph()) { $0[500] ^= 1 }
            let model = try TinyModel.opened(in: index.removingLastComponent())
            let answer = try Searcher(model, ForwardIndex(index))
                .search(.text("two dogs"), SearchOptions())
            #expect(answer.results.count == 10 && answer.notes.count == 1)
            #expect(answer.notes.first?.contains("albef index graph") == true)
        }
    }
}
