import ALBEF
import Retrieval
import TestSupport
import Testing
import Torch

@Suite("Ranking scores, as the Python implementations evaluate")
struct EvaluationParityTests {
    /// Encodes the evaluation images and texts of a golden set.
    private func encoded(
        _ dialect: Dialect
    ) throws -> (GoldenSet, ALBEFModel, EncodedImages, EncodedTexts) {
        let golden = try GoldenSet("\(dialect.rawValue)-retrieval")
        let model = try golden.model(dialect, .retrieval)
        let images = try model.encodeImages(try golden.input("eval/image"))
        let texts = try model.encodeTexts(
            try golden.input("eval/input_ids"), mask: try golden.input("eval/attention_mask"))
        return (golden, model, images, texts)
    }

    /// Match logits [images, texts] of all pairs.
    private func logits(
        _ model: ALBEFModel, _ images: EncodedImages, _ texts: EncodedTexts
    ) throws -> [[MatchLogits]] {
        let columns = try (0..<texts.states.size(0)).map { row in
            try Reranker(model, batchSize: 4).scores(
                texts.rows(Tensor([row])), count: images.tokens.size(0)
            ) { ImageTokens(images.tokens[$0]) }.logits
        }
        return (0..<images.tokens.size(0)).map { image in columns.map { $0[image] } }
    }

    @Test func originalRanksByTheLogitAlone() throws {
        let (golden, model, images, texts) = try encoded(.albef)
        try golden.expect(images.features, equals: "eval/image_feat")
        try golden.expect(texts.features, equals: "eval/text_feat")
        try golden.expect(images.tokens, equals: "eval/image_embeds")
        try golden.expect(texts.states, equals: "eval/text_embeds")
        try golden.expect(images.features.matmul(texts.features.transposed()), equals: "eval/sims")
        let all = try logits(model, images, texts)
        try golden.expect(
            Tensor(all.flatMap { $0.map(\.match) }, shape: [all.count, all[0].count]),
            equals: "eval/itm_match_logit_all_pairs")
    }

    @Test func lavisAddsTheCosineAndScoresTheBestThree() throws {
        let (golden, model, images, texts) = try encoded(.lavis)
        let similarities = images.features.matmul(texts.features.transposed())
        try golden.expect(similarities, equals: "eval/sims")
        let cosines = similarities.values(as: Float.self)
        let all = try logits(model, images, texts)
        let (rows, columns) = (all.count, all[0].count)

        /// -100 everywhere but at the three most similar of each row.
        func scores(_ similarities: Tensor, at: (Int, Int) -> (image: Int, text: Int)) -> Tensor {
            let best = similarities.topK(3).indices.values(as: Int.self)
            let width = similarities.size(1)
            var scores = [Float](repeating: -100, count: similarities.count)
            for row in 0..<similarities.size(0) {
                for column in best[(row * 3)..<(row * 3 + 3)] {
                    let (image, text) = at(row, column)
                    scores[row * width + column] = RankingScore.standard(.lavis)(
                        all[image][text], similarity: cosines[image * columns + text],
                        temperature: 1)
                }
            }
            return Tensor(scores, shape: similarities.shape)
        }
        #expect(rows == 6)
        try golden.expect(scores(similarities) { ($0, $1) }, equals: "eval/score_i2t")
        try golden.expect(
            scores(similarities.transposed()) { ($1, $0) }, equals: "eval/score_t2i")
    }
}
