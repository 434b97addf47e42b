import ALBEF
import Foundation
import Testing
import Torch

@Suite("Recall")
struct RecallMetricsTests {
    private func metrics(
        imageToText: [[Float]], textToImage: [[Float]]? = nil, images: [Int],
        texts: [String]? = nil
    ) -> RecallMetrics {
        func tensor(_ rows: [[Float]]) -> Tensor {
            Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
        }
        let forward = tensor(imageToText)
        return RecallRanks(
            imageToText: forward,
            textToImage: textToImage.map(tensor) ?? forward.transposed().contiguous(),
            images: images, texts: texts ?? images.indices.map { "text \($0)" }
        ).metrics
    }

    @Test("Ranks equal those counted by hand")
    func byHand() {
        // Image 0 has texts 0 and 1, image 1 text 2, image 2 text 3.
        let found = metrics(
            imageToText: [[1, 9, 5, 2], [7, 3, 6, 5], [8, 7, 6, 5]],
            textToImage: [[3, 2, 1], [1, 2, 3], [5, 9, 7], [4, 6, 5]], images: [0, 0, 1, 2])
        // Images: the better caption is first; second; fourth.
        #expect(abs(found.imageToText.r1 - 100.0 / 3) < 1e-9 && found.imageToText.r5 == 100)
        // Texts: first, third, first, second.
        #expect(found.textToImage.r1 == 50 && found.textToImage.r5 == 100)
        #expect(abs(found.imageToText.mean - 700.0 / 9) < 1e-9)
        #expect(abs(found.mean - (700.0 / 9 + 250.0 / 3) / 2) < 1e-9)
    }

    @Test("One, five and ten are limits of ranks", arguments: 1...12)
    func limits(rank: Int) {
        // The caption of image 0 is in the place `rank` of twelve; image 1 has all the others, so
        // its best is first or second.
        let row = (0..<12).map { Float(12 - $0) }
        let found = metrics(
            imageToText: [row, row], images: (0..<12).map { $0 == rank - 1 ? 0 : 1 }
        ).imageToText
        #expect(found.r1 == 50)
        #expect(found.r5 == (rank <= 5 ? 100 : 50))
        #expect(found.r10 == (rank <= 10 ? 100 : 50))
    }

    @Test("The later of equal scores comes first, as in the original")
    func ties() {
        let alike = metrics(
            imageToText: [[Float]](repeating: [0, 0, 0, 0, 0, 0], count: 6), images: Array(0..<6))
        // Only the last is first, and all but the first are among five.
        for found in [alike.imageToText, alike.textToImage] {
            #expect(abs(found.r1 - 100.0 / 6) < 1e-9 && abs(found.r5 - 500.0 / 6) < 1e-9)
            #expect(found.r10 == 100)
        }
        // Both captions of image 0 tie with each other and with nothing else.
        let captions = metrics(imageToText: [[5, 5, 1], [2, 2, 9]], images: [0, 0, 1])
        #expect(captions.imageToText.r1 == 100)
        // A wrong text ties with them and is behind, or before.
        let behind = metrics(imageToText: [[2, 9, 9], [5, 5, 5]], images: [0, 1, 1])
        #expect(behind.imageToText.r1 == 50 && behind.imageToText.r5 == 100)
        let before = metrics(imageToText: [[5, 5, 5], [2, 2, 9]], images: [0, 0, 1])
        #expect(before.imageToText.r1 == 50 && before.imageToText.r5 == 100)
    }

    @Test("A text of the same words is the same answer, regardless of its image")
    func identicalTexts() {
        // Texts 0 and 2 have the same words; each image ranks the other's first.
        let scores: [[Float]] = [[5, 1, 6, 0], [0, 1, 2, 3], [6, 1, 5, 0]]
        let told = metrics(
            imageToText: scores, images: [0, 1, 2, 1], texts: ["red", "blue", "red", "green"])
        #expect(told.imageToText.r1 == 100)
        let untold = metrics(imageToText: scores, images: [0, 1, 2, 1])
        #expect(abs(untold.imageToText.r1 - 100.0 / 3) < 1e-9)
        // A text that fits two images does not make them one.
        #expect(told.textToImage == untold.textToImage)
        #expect(told.textToImage.r1 == 25)
    }

    @Test("A NaN score never takes the first place")
    func notANumber() {
        let found = metrics(
            imageToText: [[.nan, 1], [.nan, .nan]], images: [0, 1])
        #expect(found.textToImage.r1 == 0)
        #expect(found.imageToText.r1 == 0)
    }

    @Test("An image without captions is not a query")
    func noCaptions() {
        let found = metrics(imageToText: [[3, 1], [0, 0], [1, 3]], images: [0, 2])
        #expect(found.imageToText.r1 == 100 && found.textToImage.r1 == 100)
    }

    @Test("JSON has both directions and the mean, and decodes to the same metrics")
    func json() throws {
        let found = metrics(
            imageToText: [[1, 9, 5], [7, 3, 6]], textToImage: [[3, 2], [1, 2], [5, 9]],
            images: [0, 0, 1])
        let data = try JSONEncoder().encode(found)
        let object = try #require(
            try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(object.keys) == ["text_to_image", "image_to_text", "mean"])
        #expect(object["mean"] as? Double == found.mean)
        #expect(try JSONDecoder().decode(RecallMetrics.self, from: data) == found)
    }
}
