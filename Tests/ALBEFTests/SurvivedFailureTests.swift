import ALBEF
import OrderedCollections
import Testing
import Torch

/// Makes one operator after another of the model's work fail for lack of memory.
@Suite("Work that runs out of memory")
struct SurvivedFailureTests {
    /// Lets every `stride`-th operator of `body` fail in turn.
    ///
    /// - Returns: the number of failures until it succeeded.
    private func failures(
        every stride: Int, from first: Int = 0, _ body: () throws -> Void, then check: () -> Void
    ) throws -> Int {
        var count = 0
        for index in Swift.stride(from: first, to: .max, by: stride) {
            do {
                try recovering(failingAtOperator: index, body)
                return count
            } catch let error as TorchError where error.isOutOfMemory {
                count += 1
                check()
            }
        }
        return count
    }

    @Test("A search can fail at any operator, and the next one succeeds")
    func search() throws {
        let model = try TinyObjective.model()
        let (pixels, batch) = (
            try #require(try TinyObjective.batch(3).pixels), try TinyObjective.batch(5)
        )
        var found: [RetrievalScores.Reranked] = []
        let count = try failures(every: 7) {
            let images = try model.encodeImages(pixels)
            let texts = try model.encodeTexts(batch.ids, mask: batch.mask)
            found = [
                try RetrievalScores(EncodedImageSet(images), texts, model: model)
                    .reranked(depth: 2, ranking: .posterior)
            ]
        } then: {
        }
        #expect(count > 5)
        #expect(try #require(found.first).imageToText.max().scalar() > -100)
    }

    @Test(
        "A step can fail at any operator, keeps the weights, and can be repeated",
        arguments: [false, true])
    func step(isCheckpointed: Bool) throws {
        let model = try TinyObjective.model()
        let settings = ObjectiveConfiguration(
            contrastive: .init(queue: 12, positives: .image))
        let objective = try PretrainingObjective(
            student: model, teacher: MomentumTeacher(copying: model),
            queues: ContrastiveQueues(
                width: 8, length: 12, generator: Generator(seed: 4), device: .cpu),
            configuration: settings, masking: TinyObjective.masking,
            choices: GeneratedChoices(generator: Generator(seed: 3)),
            dropout: Dropout(0.1, generator: try Generator(seed: 5)),
            isCheckpointed: isCheckpointed)
        let optimizer = AdamW(
            [.init(Array(model.parameters.values), weightDecay: 0.01)], learningRate: 0.01)
        optimizer.clearGradients()
        let batch = try TinyObjective.batch(3, imageIDs: [0, 1, 2])
        func weights() -> [[Float]] { model.parameters.values.map { $0.value.values() } }
        let before = weights()
        let count = try failures(every: 37, from: isCheckpointed ? 19 : 0) {
            optimizer.clearGradients()
            try objective(batch, alpha: 0.4).total.backward()
            try optimizer.step()
        } then: {
            #expect(weights() == before)
            #expect(model.parameters.values.allSatisfy { $0.value.requiresGrad })
        }
        #expect(count > 5)
        #expect(weights() != before && !weights().joined().contains { $0.isNaN })
    }
}
