import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Kinds of search", .oneModelAndTwo)
struct SearchOptionsTests {
    private func withSearcher(
        _ body: (Searcher, _ photos: [FilePath]) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(90, to: folder.appending("photos"))
            let model = try TinyModel.search(in: folder)
            let index = folder.appending("index")
            _ = try await Indexer(model).update(index, with: folder.appending("photos"))
            try body(Searcher(model, ForwardIndex(index)), paths)
        }
    }

    @Test func anImageFindsItself() async throws {
        try await withSearcher { searcher, paths in
            let answer = try searcher.search(.image(.file(paths[7])), SearchOptions(count: 5))
            #expect(answer.results.first?.path == paths[7])
            #expect(abs((answer.results.first?.similarity ?? 0) - 1) < 1e-5)
            #expect(answer.reranked == 0)
            #expect(answer.results.allSatisfy { $0.matchLogit == nil })
        }
    }

    @Test func anImageAndASentenceAreRecalledByBothAndRerankedByTheSentence() async throws {
        try await withSearcher { searcher, paths in
            let query = SearchQuery.imageAndText(.file(paths[7]), "two dogs")
            let recalled = try searcher.search(query, SearchOptions(count: 90, candidates: 0))
            let byText = try searcher.search(.text("two dogs"), SearchOptions(count: 90))
            let byImage = try searcher.search(.image(.file(paths[7])), SearchOptions(count: 90))
            for result in recalled.results {
                func cosine(_ answer: SearchAnswer) -> Float {
                    answer.results.first { $0.path == result.path }?.similarity ?? .nan
                }
                // The mean of two unit vectors, made as long as one.
                let sum = cosine(byText) + cosine(byImage)
                let length = sum / result.similarity
                #expect(length > 0 && length <= 2.0001)
            }
            let answer = try searcher.search(query, SearchOptions(count: 8, candidates: 8))
            #expect(answer.reranked == 8)
            let logits = answer.results.compactMap(\.matchLogit)
            #expect(logits == logits.sorted(by: >))
            for result in answer.results {
                let same = byText.results.first { $0.path == result.path }
                guard let logit = same?.matchLogit, let found = result.matchLogit else { continue }
                // Batches of different sizes may be summed in different orders.
                #expect(abs(logit - found) <= 1e-4 * max(1, abs(logit)))
            }
        }
    }

    @Test("Pages that follow each other are the answer that one page is, and count on")
    func pages() async throws {
        try await withSearcher { searcher, paths in
            let whole = try searcher.search(
                .text("two dogs"), SearchOptions(count: 90, candidates: 20))
            #expect(whole.total == 90)
            var found: [SearchResult] = []
            for offset in stride(from: 0, to: 100, by: 15) {
                var options = SearchOptions(count: 15, candidates: 20)
                options.offset = offset
                let page = try searcher.search(.text("two dogs"), options)
                #expect(page.total == 90 && page.reranked == (offset < 20 ? 20 : 0))
                found += page.results
            }
            #expect(found.map(\.path) == whole.results.map(\.path))
            #expect(found.map(\.rank) == Array(1...90))
            #expect(found.map(\.recallRank) == whole.results.map(\.recallRank))
        }
    }

    @Test func aTimeBudgetReadsAtLeastOneBatchAndSaysHowMany() async throws {
        try await withSearcher { searcher, _ in
            var options = SearchOptions(count: 90, candidates: 90)
            options.timeBudget = .zero
            let answer = try searcher.search(.text("two dogs"), options)
            #expect(answer.reranked > 0 && answer.reranked < 90)
            #expect(answer.results.count == 90)
            #expect(answer.results.filter { $0.matchLogit != nil }.count == answer.reranked)
            #expect(
                answer.results.dropFirst(answer.reranked).map(\.recallRank)
                    == Array(answer.reranked + 1...90))
            options.timeBudget = .seconds(600)
            #expect(try searcher.search(.text("two dogs"), options).reranked == 90)
        }
    }

    @Test func improbableCandidatesAreLeftOut() async throws {
        try await withSearcher { searcher, _ in
            var options = SearchOptions(count: 90, candidates: 30)
            let all = try searcher.search(.text("two dogs"), options).results
            let probabilities = all.compactMap(\.matchProbability)
            let least = try #require(probabilities.sorted().dropFirst(10).first)
            options.minimumProbability = Double(least)
            let answer = try searcher.search(.text("two dogs"), options)
            #expect(answer.results.count == 20 && answer.reranked == 30)
            #expect(answer.results.allSatisfy { ($0.matchProbability ?? 0) >= least })
            options.minimumProbability = 1
            #expect(try searcher.search(.text("two dogs"), options).results.isEmpty)
        }
    }

    @Test func whatCannotBeReadOrSaysNothingIsAnError() async throws {
        try await withSearcher { searcher, paths in
            #expect(throws: (any Error).self) {
                try searcher.search(.image(.file("/nowhere.jpg")), SearchOptions())
            }
            #expect(throws: QueryError.self) {
                try searcher.search(.imageAndText(.file(paths[0]), " ?! "), SearchOptions())
            }
        }
    }
}
