import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Search with an image encoder on a convolutional trunk")
struct TrunkSearchTests {
    /// A gallery of images and a searcher over it.
    ///
    /// - Parameter grids: sides of the trunk's pooling grids.
    private func withSearcher(
        _ grids: [Int], budget: TokenBudget = TokenBudget(),
        _ body: (SearchModel, Searcher, _ photos: [FilePath]) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            var trunk = TinyModel.trunk
            trunk.poolingGrids = grids
            try TinyModel(vision: .init(trunk: trunk, imageSize: 48, width: 24, heads: 4)).write(
                to: folder.appending("model"))
            let photos = try TinyImages.write(12, to: folder.appending("photos"))
            let model = try SearchModel(folder.appending("model"))
            let index = folder.appending("index")
            let report = try await Indexer(model, options: .init(budget: budget))
                .update(index, with: folder.appending("photos"))
            #expect(report.encoded == 12)
            try body(model, Searcher(model, ForwardIndex(index)), photos)
        }
    }

    @Test(
        "Pictures are found, re-ranked and explained",
        arguments: [([], TokenBudget()), ([1, 6], TokenBudget(count: 12, precision: .int8))])
    func search(_ grids: [Int], _ budget: TokenBudget) async throws {
        try await withSearcher(grids, budget: budget) { model, searcher, photos in
            #expect(model.signature.tokenCount == (grids.isEmpty ? 36 : 37))
            let same = try searcher.search(.image(.file(photos[7])), SearchOptions(count: 3))
            #expect(same.results.first?.path == photos[7])
            let results = try searcher.search("a red bus near the tree", count: 12)
            #expect(Set(results.compactMap(\.matchLogit)).count == 12)
            if grids.isEmpty {
                let found = try model.explain(photos[1], "two dogs")
                #expect((found.sentence.width, found.sentence.height) == (6, 6))
                for result in results {
                    let score = try #require(
                        try model.score(result.path, ["a red bus near the tree"]).first)
                    #expect(abs(score.matchLogit - (result.matchLogit ?? .nan)) < 1e-2)
                }
            } else {
                let error = #expect(throws: ALBEFError.self) {
                    try model.explain(photos[1], "two dogs")
                }
                #expect(error?.description.contains("1 x 1, 6 x 6") == true)
            }
        }
    }
}
