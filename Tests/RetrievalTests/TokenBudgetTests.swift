import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Token budgets", .oneModelAndTwo)
struct TokenBudgetTests {
    private func withGallery(
        _ body: (SearchModel, FilePath, FilePath) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyImages.write(12, to: folder.appending("photos"))
            try await body(
                TinyModel.search(in: folder), folder.appending("photos"), folder)
        }
    }

    @Test(
        "Scores stay near those of all tokens",
        arguments: [
            TokenBudget(precision: .int8), TokenBudget(count: 7),
            TokenBudget(count: 4, precision: .int8), TokenBudget(count: 0),
        ])
    func scores(_ budget: TokenBudget) async throws {
        try await withGallery { model, photos, folder in
            let query = "a red bus near the tree"
            let tolerance: Float = budget.count.map { $0 > 0 } ?? false ? 0.3 : 0.02
            _ = try await Indexer(model).update(folder.appending("all"), with: photos)
            let report = try await Indexer(model, options: .init(budget: budget))
                .update(folder.appending("kept"), with: photos)
            #expect(report.encoded == 12)
            let index = try ForwardIndex(folder.appending("kept"))
            #expect(index.budget == budget)
            let all = try Searcher(model, ForwardIndex(folder.appending("all")))
                .search(query, count: 12)
            let kept = try Searcher(model, index).search(query, count: 12)
            for result in kept {
                let same = try #require(all.first { $0.path == result.path })
                let (a, b) = (try #require(same.matchLogit), try #require(result.matchLogit))
                #expect(abs(a - b) < tolerance, "\(budget)")
                #expect(same.similarity == result.similarity)
            }
            if budget.count != 0 {
                let tokens = try #require(index.tokens(index.ids))
                #expect(tokens.values.shape == [12, budget.count ?? 10, 24])
                let weights = tokens.weights?.sum(1).values(as: Float.self)
                #expect(
                    budget.count == nil
                        ? weights == nil : weights?.allSatisfy { abs($0 - 10) < 1e-4 } == true)
            }
        }
    }

    @Test("Merging tokens that are equal changes nothing")
    func equalTokens() async throws {
        try await withGallery { model, _, folder in
            let generator = try Generator(seed: 8)
            // `[CLS]`, then each of three patches three times.
            let distinct = Tensor.normal([2, 4, 24], generator: generator)
            let tokens = distinct[.all, Tensor([0, 1, 2, 3, 1, 2, 3, 1, 2, 3])]
            let features = Tensor.normal(
                [2, model.signature.embeddingWidth], generator: generator
            ).normalized()
            let index = folder.appending("index")
            let entries = (0..<2).map { number in
                IndexEntry(
                    path: FilePath("/\(number).jpg"), size: 1, modified: 1,
                    sha256: String(repeating: "\(number)", count: 64))
            }
            try ForwardIndex.append(
                entries, features: features, tokens: tokens, to: index, model: model.signature,
                budget: TokenBudget(count: 6))
            let forward = try ForwardIndex(index)
            let kept = try #require(forward.tokens(forward.ids))
            #expect(kept.values.shape == [2, 6, 24])
            let text = try model.encode(texts: ["two dogs"])
            let logits = try model.model.matchLogits(text, withEach: kept)
            let expected = try model.model.matchLogits(text, withEach: ImageTokens(tokens))
            #expect(logits.isClose(to: expected, relative: 1e-2, absolute: 1e-3))
        }
    }

    @Test("What an image takes is what is foretold")
    func bytes() async throws {
        try await withGallery { model, photos, folder in
            for (position, budget) in [
                TokenBudget(), TokenBudget(precision: .int8), TokenBudget(count: 5),
                TokenBudget(count: 5, precision: .int8),
            ].enumerated() {
                let index = folder.appending("index-\(position)")
                _ = try await Indexer(model, options: .init(budget: budget))
                    .update(index, with: photos)
                let none = folder.appending("none-\(position)")
                _ = try await Indexer(model, options: .init(budget: TokenBudget(count: 0)))
                    .update(none, with: photos)
                let statistics = try ForwardIndex(index).statistics
                let empty = try ForwardIndex(none).statistics
                let difference = statistics.byteCount - empty.byteCount
                // Besides there is only a longer header.
                #expect((0..<512).contains(difference - 12 * statistics.tokenByteCount))
            }
        }
    }

    @Test("A budget is chosen once, and files may be missing where none is kept")
    func choices() async throws {
        try await withGallery { model, photos, folder in
            let index = folder.appending("index")
            _ = try await Indexer(model, options: .init(budget: TokenBudget(count: 0)))
                .update(index, with: photos)
            await #expect(throws: IndexError.self) {
                try await Indexer(model, options: .init(budget: TokenBudget(count: 8)))
                    .update(index, with: photos)
            }
            let first = try Searcher(model, ForwardIndex(index)).search("train", count: 12)
            try FileManager.default.removeItem(atPath: first[0].path.string)
            let answer = try Searcher(model, ForwardIndex(index))
                .search(.text("train"), SearchOptions(count: 12))
            #expect(answer.reranked == 11)
            #expect(answer.results.last?.path == first[0].path)
            #expect(answer.results.last?.matchLogit == nil)
        }
    }
}
