import ALBEF
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Searches that multiply in a shorter type")
struct SearchComputeTypeTests {
    @Test("Wide models use the processor's fastest type, small ones single precision")
    func standard() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for (width, expected) in [(64, ComputeType.float32), (512, .fastest(on: .cpu))] {
                let path = folder.appending("model-\(width)")
                try TinyModel(
                    vision: .init(imageSize: 32, width: width, depth: 1, heads: 8, mlpWidth: 64)
                ).write(to: path)
                #expect(try SearchModel(path).model.computeType == expected)
                #expect(try SearchModel(path, computeType: .float32).model.computeType == .float32)
            }
            // The model `photos`, which has a trunk.
            let photos = try #require(ShippedModel.photos.directory)
            #expect(try SearchModel(photos).model.computeType == .fastest(on: .cpu))
        }
    }

    @Test(
        "An index and a re-ranked search differ little from single precision",
        arguments: [(ComputeType.bfloat16, Float(0.01)), (.int8, 0.03)])
    func search(_ type: ComputeType, difference: Float) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("model")
            try TinyModel().write(to: path)
            let images = folder.appending("images")
            let paths = try TinyImages.write(20, to: images)
            var answers: [ComputeType: SearchAnswer] = [:]
            for type in [.float32, type] {
                let model = try SearchModel(path, computeType: type)
                let index = folder.appending("\(type).index")
                _ = try await Indexer(model).update(index, with: images)
                let searcher = try Searcher(model, ForwardIndex(index))
                answers[type] = try searcher.search(
                    .text("two dogs"), SearchOptions(count: 50, candidates: 50))
            }
            let exact = try #require(answers[.float32]).results
            let short = try #require(answers[type]).results
            #expect(exact.count == paths.count && short.count == paths.count)
            for result in exact {
                let found = try #require(short.first { $0.path == result.path })
                #expect(abs(found.similarity - result.similarity) < difference)
                let (logit, other) = (
                    try #require(result.matchLogit), try #require(found.matchLogit)
                )
                #expect(abs(other - logit) < 2 * difference * max(1, abs(logit)))
            }
        }
    }
}
