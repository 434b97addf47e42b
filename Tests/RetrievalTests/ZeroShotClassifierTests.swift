import ALBEF
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Telling images apart by labels alone")
struct ZeroShotClassifierTests {
    @Test(
        "A class is the mean of its templates; shares add up, SigLIP's probabilities need not",
        arguments: [Dialect.clip, .siglip])
    func templates(_ dialect: Dialect) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel.towers(dialect: dialect).write(to: folder.appending("model"))
            let photos = try TinyImages.write(3, to: folder.appending("photos"))
            let model = try SearchModel(folder.appending("model"))
            let (labels, templates) = (["dog", "red bus", "tree"], ["a {}", "the {} near a dog"])
            let classifier = try ZeroShotClassifier(
                labels: labels, templates: templates, model: model)
            #expect(classifier.isIndependent == (dialect == .siglip))
            let images = try model.encode(pixels: photos.map { try model.pixels(of: $0) })
            let found = try classifier(images)
            #expect(found.count == 3)

            let texts = try labels.map { label in
                let each = try templates.map {
                    try model.encode(texts: [$0.replacing("{}", with: label)]).features[0]
                }
                return Tensor.stacked(each).mean(0).normalized()
            }
            let inner = model.featureModel.model
            let logits = try inner.similarityLogits(Tensor.stacked(texts), images.features)
            let wanted = dialect == .siglip ? logits.sigmoid() : logits.softmax(0)
            for (image, scores) in found.enumerated() {
                #expect(Set(scores.map(\.label)) == Set(labels))
                #expect(scores.map(\.logit) == scores.map(\.logit).sorted(by: >))
                for score in scores {
                    let row = try #require(labels.firstIndex(of: score.label))
                    let (logit, share) = (logits[row, image], wanted[row, image])
                    #expect(abs(Double(score.logit) - logit.scalar()) < 1e-4)
                    #expect(abs(Double(score.probability) - share.scalar()) < 1e-5)
                }
                let sum = scores.reduce(0) { $0 + $1.probability }
                #expect(dialect == .siglip || abs(sum - 1) < 1e-5)
            }
        }
    }

    @Test("A Chinese label gets a Chinese template")
    func languages() {
        #expect(ZeroShotClassifier.template(for: "狗").contains("照片"))
        #expect(ZeroShotClassifier.template(for: "dog") == "a photo of a {}.")
    }
}
