import ALBEF
import Testing
import Torch

@Suite("Scores of a gallery")
struct GalleryScoresTests {
    private let model: ALBEFModel
    private let images: EncodedImages
    private let texts: EncodedTexts
    private let scores: RetrievalScores
    private let imageCount = 4
    private let textCount = 7

    init() throws {
        model = try TinyObjective.model()
        images = try model.encodeImages(#require(try TinyObjective.batch(imageCount).pixels))
        let batch = try TinyObjective.batch(textCount, seed: 9)
        texts = try model.encodeTexts(batch.ids, mask: batch.mask)
        scores = RetrievalScores(EncodedImageSet(images), texts, model: model)
    }

    private func rows(_ tensor: Tensor) -> [[Double]] {
        (0..<tensor.size(0)).map { tensor[$0].values() }
    }

    /// The ranking score of a pair that is read alone.
    private func score(
        _ ranking: RankingScore, image: Int, text: Int, cosine: Double
    ) throws -> Double {
        let logits: [Double] = try model.matchLogits(
            texts.rows(Tensor([text])), tokens: images.tokens[image..<image + 1])[0].values()
        let temperature = try #require(model.temperature).value.scalar()
        return switch ranking {
        case .matching: logits[1]
        case .sum: logits[1] + cosine
        case .probability: logits[1] - logits[0]
        case .posterior: logits[1] - logits[0] + cosine / temperature
        }
    }

    @Test("The towers' scores are the cosines of all pairs")
    func towers() throws {
        #expect(scores.similarities.shape == [imageCount, textCount])
        for image in 0..<imageCount {
            for text in 0..<textCount {
                let cosine = (images.features[image] * texts.features[text]).sum().scalar()
                #expect(abs(scores.similarities[image, text].scalar() - cosine) < 1e-6)
            }
        }
        let right = [0, 0, 1, 1, 2, 3, 3]
        let words = ["a", "b", "a", "c", "d", "e", "d"]
        #expect(
            scores.dual(images: right, texts: words)
                == RecallRanks(
                    imageToText: scores.similarities,
                    textToImage: scores.similarities.transposed().contiguous(), images: right,
                    texts: words))
    }

    @Test("A gallery in blocks has the same scores as one block")
    func blocks() throws {
        let pieces = EncodedImageSet(
            tokens: [0..<1, 1..<3, 3..<4].map { images.tokens[$0] }, features: images.features)
        let others = RetrievalScores(pieces, texts, model: model)
        for image in 0..<imageCount {
            let whole = try scores.matchLogits(image: image, texts: [5, 0])
            #expect(try others.matchLogits(image: image, texts: [5, 0]) == whole)
        }
        let whole = try scores.matchLogits(text: 2, images: [3, 0, 2])
        #expect(try others.matchLogits(text: 2, images: [3, 0, 2]) == whole)
    }

    @Test(
        "Re-ranked, the best of each row have the score of their own logits, the others -100",
        arguments: [1, 2, 3], RankingScore.allCases)
    func reranked(depth: Int, ranking: RankingScore) throws {
        let cosines = rows(scores.similarities)
        var progress: [Int] = []
        let reranked = try scores.reranked(depth: depth, ranking: ranking) {
            progress.append($0)
        }
        let (byImage, byText) = (reranked.imageToText, reranked.textToImage)
        #expect(progress == Array(1...imageCount))
        #expect(
            byImage.shape == [imageCount, textCount] && byText.shape == [textCount, imageCount])
        for image in 0..<imageCount {
            let best = Set(
                (0..<textCount).sorted { cosines[image][$0] > cosines[image][$1] }.prefix(depth))
            for text in 0..<textCount {
                let expected = try score(
                    ranking, image: image, text: text, cosine: cosines[image][text])
                let found = byImage[image, text].scalar()
                #expect(best.contains(text) ? abs(found - expected) < 1e-4 : found == -100)
                let bestImages = (0..<imageCount).sorted { cosines[$0][text] > cosines[$1][text] }
                let other = byText[text, image].scalar()
                #expect(
                    bestImages.prefix(depth).contains(image)
                        ? abs(other - expected) < 1e-4 : other == -100)
            }
        }
    }

    @Test("A depth beyond the gallery reads all pairs, and a depth of 0 reads none")
    func depths() throws {
        let all = try scores.reranked(depth: 100, ranking: .matching)
        #expect(all.imageToText.isClose(to: all.textToImage.transposed(), absolute: 1e-4))
        #expect(all.imageToText.min().scalar() > -100)
        let none = try scores.reranked(depth: 0, ranking: .matching)
        #expect(none.imageToText.max().scalar() == -100 && none.textToImage.max().scalar() == -100)
    }

    @Test("Several depths at once give the same results as each alone")
    func sweep() throws {
        let depths = [3, 1, 2]
        let together = try scores.reranked(depths: depths, ranking: .sum)
        for (depth, found) in zip(depths, together) {
            let alone = try scores.reranked(depth: depth, ranking: .sum)
            #expect(found.imageToText.isClose(to: alone.imageToText, absolute: 1e-4))
            #expect(found.textToImage.isClose(to: alone.textToImage, absolute: 1e-4))
        }
    }

    @Test("Probabilities are the softmax of the pair's logits")
    func probabilities() throws {
        let found = try scores.matchLogits(text: 5, images: [2, 0]).map { MatchCalibration()($0) }
        for (image, probability) in zip([2, 0], found) {
            let logits = try model.matchLogits(
                texts.rows(Tensor([5])), tokens: images.tokens[image..<image + 1])
            #expect(abs(logits.softmax(1)[0, 1].scalar() - probability) < 1e-5)
        }
    }

    @Test("An error of the progress closure stops the work")
    func stopping() throws {
        var done = 0
        #expect(throws: CancellationError.self) {
            try scores.reranked(depth: 2, ranking: .matching) {
                done = $0
                if done == 2 { throw CancellationError() }
            }
        }
        #expect(done == 2)
    }
}
