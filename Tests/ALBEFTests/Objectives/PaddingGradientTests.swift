import ALBEF
import Testing
import Torch

@Suite("Gradients of the word table")
struct PaddingGradientTests {
    /// Gradients of the word table where some places of a batch show other tokens.
    private func gradients(showing tokens: [Int], at places: [Int]) throws -> Tensor {
        let model = try TinyObjective.model()
        TinyObjective.recordGradients(of: model)
        let batch = try TinyObjective.batch(2)
        var ids: [Int] = batch.ids.values()
        let labels = places.map { ids[$0] }
        for (place, token) in zip(places, tokens) { ids[place] = token }
        let states = model.textEncoder.encode(
            Tensor(ids, shape: batch.ids.shape), mask: batch.mask)
        let fused = model.textEncoder.fuse(
            states, mask: batch.mask, image: model.visualEncoder(batch.pixels))
        let head = try #require(model.maskedLanguage)
        let logits = head(fused.reshaped(-1, fused.size(2)).selected(0, Tensor(places)))
        try MaskedLanguageObjective()(
            logits, labels: Tensor(labels), teacher: nil, alpha: 0
        ).loss.backward()
        return try #require(model.textEncoder.embeddings.words.weight.value.grad)
    }

    @Test("Padding that replaces a hidden word is not trained as an input, only as an output")
    func padding() throws {
        // Of the gradient of an output row all but the factor p is the same for every word: with
        // initial weights words are nearly alike, so a row that is no input tells what to expect.
        let table = try gradients(showing: [0, 4], at: [1, 3])
        let unused = 150
        let difference = (table[0] - table[unused]).abs().max().scalar()
        let mask = (table[4] - table[unused]).abs().max().scalar()
        #expect(difference < 0.05 * mask)
        #expect(table[0].abs().max().scalar() > 0)
    }
}
