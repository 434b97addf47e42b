import ALBEF
import ALBEFTraining
import Foundation
import Testing
import Torch

@Suite("Recall with standard errors")
struct MeasuredRecallTests {
    /// Ranks of texts that say what they are given: the row of scores of text t has its image at the place `ranks[t]`.
    private func ranks(_ ranks: [Int], images: [Int], of imageCount: Int) -> RecallRanks {
        let rows = zip(ranks, images).map { rank, image -> [Float] in
            var row = (0..<imageCount - 1).map { Float(imageCount - $0) }
            row.insert(Float(imageCount - rank) + 0.5, at: image)
            return row
        }
        let scores = Tensor(rows.flatMap { $0 }, shape: [ranks.count, imageCount])
        return RecallRanks(
            imageToText: scores.transposed().contiguous(), textToImage: scores, images: images,
            texts: images.indices.map { "text \($0)" })
    }

    @Test("Of independent queries it is the standard deviation over the root of their number")
    func independent() {
        let found = ranks([0, 1, 0, 2], images: [0, 1, 2, 3], of: 4)
        #expect(found.textToImage == [0, 1, 0, 2])
        let measured = MeasuredRecall(found).textToImage
        #expect(measured.r1 == MeasuredShare(percent: 50, standardError: 25))
        #expect(measured.r5 == MeasuredShare(percent: 100, standardError: 0))
        #expect(measured.r1.percent == found.metrics.textToImage.r1)
    }

    @Test("Texts of one image that succeed and fail together count as one")
    func grouped() {
        let alike = MeasuredRecall(
            ranks([0, 0, 1, 1, 0, 0, 1, 1], images: [0, 0, 1, 1, 2, 2, 3, 3], of: 4))
        #expect(alike.textToImage.r1 == MeasuredShare(percent: 50, standardError: 25))
        // One of each image's texts succeeds: the images do not differ.
        let mixed = MeasuredRecall(ranks([0, 1, 1, 0], images: [0, 0, 1, 1], of: 2))
        #expect(mixed.textToImage.r1 == MeasuredShare(percent: 50, standardError: 0))
    }

    @Test("A gain is counted query by query")
    func gain() {
        let towers = ranks([0, 1, 1, 3], images: [0, 1, 2, 3], of: 4)
        let better = ranks([0, 0, 1, 3], images: [0, 1, 2, 3], of: 4)
        let gain = MeasuredRecall(better, over: towers).textToImage
        #expect(gain.r1.percent == 25)
        // 1, 0, 0, 0 around 1/4: the root of 3/4, over 4.
        #expect(abs(gain.r1.standardError - 100 * 0.75.squareRoot() / 4) < 1e-9)
        #expect(MeasuredRecall(towers, over: towers).imageToText.r1.standardError == 0)
    }

    @Test("JSON has a share and its error under each limit")
    func json() throws {
        let measured = MeasuredRecall(ranks([0, 1], images: [0, 1], of: 2))
        let object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(measured))
                as? [String: [String: [String: Double]]])
        #expect(Set(object.keys) == ["text_to_image", "image_to_text"])
        #expect(object["text_to_image"]?["r1"]?["percent"] == 50)
        #expect(try #require(object["text_to_image"]?["r10"]?["standard_error"]) == 0)
    }
}
