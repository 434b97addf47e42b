import ALBEF
import Testing
import Torch

@Suite("Gradients of the word table")
struct PaddingGradientTests {
    /// A word whose vector is made that of the padding, so that exchanging the two makes no
    /// difference to the results.
    private static let twin = 150

    /// Gradients of the word table if a hidden word is replaced by another token.
    private func gradients(showing token: Int) throws -> Tensor {
        let model = try TinyObjective.model()
        let words = model.textEncoder.embeddings.words.weight
        words.value[Self.twin] = words.value[0]
        TinyObjective.recordGradients(of: model)
        let batch = try TinyObjective.batch(2)
        var ids: [Int] = batch.ids.values()
        let places = [1, 3]
        let labels = places.map { ids[$0] }
        ids[places[0]] = token
        let states = model.textEncoder.encode(
            Tensor(ids, shape: batch.ids.shape), mask: batch.mask)
        let fused = model.textEncoder.fuse(
            states, mask: batch.mask, image: model.visualEncoder(try #require(batch.pixels)))
        let head = try #require(model.maskedLanguage)
        let logits = head(fused.reshaped(-1, fused.size(2)).selected(0, Tensor(places)))
        try MaskedLanguageObjective()(
            logits, labels: Tensor(labels), teacher: nil, alpha: 0
        ).loss.backward()
        return try #require(words.value.grad)
    }

    @Test("Padding that replaces a hidden word is trained as an output of MLM, not as an input")
    func padding() throws {
        let shown = try gradients(showing: 0)
        let unshown = try gradients(showing: Self.twin)
        #expect(unshown[0].abs().max().scalar() > 1e-6)
        #expect(shown[0].isClose(to: unshown[0], absolute: 1e-7))
        // Other words are trained as both.
        let asInput = unshown[Self.twin] - unshown[0]
        #expect(asInput.abs().max().scalar() > 10 * unshown[0].abs().max().scalar())
    }
}
