import ALBEF
import ImageText
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Samples of ALBEF")
struct ALBEFSamples: SampleSuite {
    let printed = Printed()

    @Test func scoring() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let directory = folder.appending("model")
            try TinyModel().write(to: directory)
            let path = Fixtures.path("images/rgb.jpg")
            // sample: score-a-pair
            // shown: directory = "model"
            // shown: path = "street.jpg"
            let files = try ModelDirectory.open(directory)
            let model = try ALBEFModel(files)
            let inputs = try ModelPreprocessing(files)

            let (planes, side) = (try inputs.image(ImageLoader().load(path)), inputs.image.side)
            let images = try model.encodeImages(Tensor(planes, shape: [1, 3, side, side]))

            let batch = inputs.text.batch(["black top, white trousers"])
            let shape = [batch.count, batch.length]
            let texts = try model.encodeTexts(
                Tensor(batch.ids, shape: shape), mask: Tensor(batch.mask, shape: shape))

            // What recall compares, and what the fusion encoder says to the pair.
            print(texts.features.matmul(images.features.transposed()).scalar())
            let logits = try model.matchLogits(texts, tokens: images.tokens)
            print(logits.softmax(-1).values(as: Float.self))
            // end
            #expect(printed.lines.count == 2)
        }
    }

    @Test func importing() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let vocabulary = Fixtures.path("vocabularies/tiny-vocab.txt")
            let configuration = ALBEFConfiguration(
                vision: .init(imageSize: 32, width: 64, depth: 1, heads: 1, mlpWidth: 64),
                text: .init(
                    vocabularySize: 200, width: 64, depth: 2, fusionLayer: 1, heads: 1,
                    mlpWidth: 64, positions: 40),
                embeddingWidth: 16)
            try ALBEFModel(untrained: configuration, generator: Generator(seed: 1))
                .write(to: folder.appending("original"), vocabulary: vocabulary)
            let path = folder.appending("original").appending("model.safetensors")
            let directory = folder.appending("imported")
            // sample: import-a-checkpoint
            // shown: path = "ALBEF.pth"
            // shown: directory = "model"
            // shown: vocabulary = "vocab.txt"
            let checkpoint = try CheckpointImporter().load(path)
            print(checkpoint.report)
            try checkpoint.writeModel(to: directory, vocabulary: vocabulary)
            // end
            #expect(try ModelDirectory.open(directory).configuration.embeddingWidth == 16)
            #expect(printed.lines.count == 1)
        }
    }

    @Test func step() async throws {
        let configuration = ALBEFConfiguration(
            vision: .init(imageSize: 32, width: 16, depth: 1, heads: 2, mlpWidth: 32),
            text: .init(
                vocabularySize: 200, width: 16, depth: 2, fusionLayer: 1, heads: 2, mlpWidth: 32,
                positions: 12, maximumTokens: 10),
            embeddingWidth: 8)
        let (width, words) = (8, 200)
        let (mask, start, padding) = (4, 2, 0)
        let generator = try Generator(seed: 1)
        let batch = PretrainingBatch(
            pixels: .normal([2, 3, 32, 32], generator: generator),
            ids: Tensor([2, 7, 8, 9, 2, 10, 11, 12], shape: [2, 4]), mask: .ones([2, 4]).to(.int64))
        // sample: take-a-training-step
        // shown: width = 256
        // shown: words = 30_522
        // shown: mask = 103
        // shown: start = 101
        // shown: padding = 0
        let student = try ALBEFModel(untrained: configuration, generator: generator)
        let objective = try PretrainingObjective(
            student: student, teacher: MomentumTeacher(copying: student),
            queues: ContrastiveQueues(
                width: width, length: 65_536, generator: generator, device: .cpu),
            configuration: ObjectiveConfiguration(),
            masking: TokenMasking(vocabularySize: words, mask: mask, kept: [padding, start]),
            choices: GeneratedChoices(generator: generator),
            dropout: Dropout(0.1, generator: generator))
        let optimizer = AdamW(
            [AdamW.Group(student.parameters.map(\.value), weightDecay: 0.02)], learningRate: 1e-4)

        optimizer.clearGradients()
        let losses = try objective(batch, alpha: 0.4)
        try losses.total.backward()
        try optimizer.step()
        print(losses.total.scalar(), losses.matching?.accuracy ?? 0)
        // end
        #expect(printed.lines.count == 1)
        #expect(losses.total.scalar().isFinite)
    }
}
