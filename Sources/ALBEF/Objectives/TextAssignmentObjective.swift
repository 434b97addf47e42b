import OrderedCollections
public import Torch

/// Text assignment, TA, which prepares the fusion encoder of NLVR2 for two images: it decides whether
/// a text belongs to the first image, to the second one, or to neither (section 5).
///
/// Two thirds of the texts are read with their own image and another one, in either order; the
/// others with two other images. Other images are drawn in proportion to the softmax of their
/// similarity to the text's own. There is no teacher.
public struct TextAssignmentObjective: TrainingObjective {
    /// The images that each text is read with, and the right decision.
    public struct Assignment: Sendable {
        /// The first image of each text, `[N]` indices.
        public var first: Tensor
        /// The second image of each text, `[N]` indices.
        public var second: Tensor
        /// The place of the text's own image, `[N]`: 0 for the first, 1 for the second, 2 for
        /// neither.
        public var labels: Tensor

        /// Creates an assignment.
        public init(first: Tensor, second: Tensor, labels: Tensor) {
            self.first = first
            self.second = second
            self.labels = labels
        }
    }

    /// The loss and the predictions of a step.
    public struct Outcome: Sendable {
        /// L_ta, a scalar with a gradient; chance is ln 3 = 1.0986.
        public var loss: Tensor
        /// The student's logits `[N, 3]`.
        public var logits: Tensor
        /// The images and the labels.
        public var assignment: Assignment
    }

    /// The model being trained: one for text assignment.
    public let student: ALBEFModel
    /// nil: text assignment has no teacher.
    public var teacher: MomentumTeacher? { nil }
    /// The share of texts that are read with their own image; 2/3 in the original.
    public let ownShare: Double
    private let temperature: Double
    private let generator: Generator
    private let dropout: Dropout?
    private let isCheckpointed: Bool

    /// Creates the objective of a model.
    ///
    /// - Parameters:
    ///   - student: a model for text assignment. Training changes its weights in place, so they must
    ///     not be mapped from a file.
    ///   - ownShare: the share of texts that are read with their own image; 2/3 by default.
    ///   - temperature: the divisor of similarities when images are drawn; 0.07 by default.
    ///   - generator: the source of random choices, on the CPU.
    ///   - dropout: the dropout of the BERT layers; nil for none.
    ///   - isCheckpointed: as in ``VisionTransformer/callAsFunction(_:isCheckpointed:)``.
    /// - Throws: ``ALBEFError`` if the model has no head of text assignment.
    public init(
        student: ALBEFModel, ownShare: Double = 2.0 / 3, temperature: Double = 0.07,
        generator: Generator, dropout: Dropout?, isCheckpointed: Bool = false
    ) throws(ALBEFError) {
        guard student.assignment != nil else {
            throw .missingHead("ta_head", student.configuration.task)
        }
        self.student = student
        self.ownShare = ownShare
        self.temperature = temperature
        self.generator = generator
        self.dropout = dropout
        self.isCheckpointed = isCheckpointed
    }

    /// Computes the loss of a batch.
    ///
    /// - Parameters:
    ///   - batch: at least three images with a text each.
    ///   - assignment: the images of each text; nil, the default, to draw them.
    /// - Throws: ``ALBEFError`` if the batch does not fit the model or has fewer images.
    public func callAsFunction(
        _ batch: PretrainingBatch, assignment: Assignment? = nil
    ) throws(ALBEFError) -> Outcome {
        guard let head = student.assignment else {
            throw .missingHead("ta_head", student.configuration.task)
        }
        guard batch.count > 2 else { throw .fewImages }
        try student.checkText(batch.ids, mask: batch.mask)
        let map = try student.trunkMap(batch.images, isCheckpointed: isCheckpointed)
        let tokens = student.visualEncoder.tokens(ofMap: map, isCheckpointed: isCheckpointed)
        guard tokens.size(0) == batch.count else {
            throw .pairs(texts: batch.ids.shape, tokens: tokens.shape)
        }
        let chosen = assignment ?? draw(tokens, ids: batch.imageIDs)
        let encoder = student.textEncoder
        let states = encoder.encode(batch.ids, mask: batch.mask, dropout: dropout)
        // Every image is projected once per layer and read by several texts.
        let memory = encoder.memory(of: tokens).enumerated().map { index, memory in
            memory.rows(index % 2 == 0 ? chosen.first : chosen.second)
        }
        let fused = encoder.fuse(
            encoder.fusionInput(batch.ids, states: states), mask: batch.mask, with: memory,
            .aligned, .start, dropout: dropout)
        let logits = head(fused)
        return Outcome(
            loss: logits.crossEntropy(chosen.labels), logits: logits, assignment: chosen)
    }

    /// Computes the loss `ta` of a batch, and the share of texts whose image is found.
    ///
    /// - Parameters:
    ///   - batch: at least three images with a text each.
    ///   - alpha: ignored, because there is no teacher.
    public func losses(of batch: PretrainingBatch, alpha: Double) throws -> TrainingLosses {
        let outcome = try self(batch)
        return TrainingLosses(
            total: outcome.loss, parts: ["ta": outcome.loss],
            accuracy: outcome.logits.accuracy(outcome.assignment.labels))
    }

    /// Draws the images that each of N texts is read with.
    ///
    /// - Parameters:
    ///   - tokens: the tokens `[N, P + 1, D_v]` of the texts' own images; at least three.
    ///   - ids: the image of each text, equal for equal images, `[N]`; nil if all differ. An equal
    ///     image is not drawn as another one.
    /// - Precondition: the model has a head of text assignment.
    public func draw(_ tokens: Tensor, ids: Tensor? = nil) -> Assignment {
        guard let head = student.assignment else {
            preconditionFailure("the model has no head of text assignment")
        }
        return withoutGradients {
            let count = tokens.size(0)
            let rows = Tensor.arange(0..<count, device: tokens.device)
            let keys = ids ?? rows
            let features = head.visionProjection(student.visualEncoder.pooled(tokens)).normalized()
            let weights = HardNegatives.weights(
                features.matmul(features.transposed()) / temperature,
                excluded: keys.unsqueezed(1).isEqual(to: keys), isFaithful: false
            ).to(.cpu)
            let other = weights.multinomial(1, generator: generator)
            let columns = Tensor.arange(0..<count)
            let rest = weights.filled(with: 0, where: columns.isEqual(to: other))
            // A row may have a single other image. It then keeps its own.
            let isAlone = rest.sum(1, keepingDimensions: true).isGreater(than: 0).isEqual(to: 0)
            let another = Tensor.selecting(rest + 1, rest, where: isAlone)
                .multinomial(1, generator: generator)
            let draws: [Double] = Tensor.uniform([2, count], generator: generator).values()
            let (one, two): ([Int], [Int]) = (other.values(), another.values())
            let keepsOwn: [Bool] = isAlone.values()
            var first = one
            var second = one
            var labels = [Int](repeating: 2, count: count)
            for row in 0..<count {
                if draws[row] >= ownShare, !keepsOwn[row] {
                    second[row] = two[row]
                } else if draws[count + row] < 0.5 {
                    (first[row], labels[row]) = (row, 0)
                } else {
                    (second[row], labels[row]) = (row, 1)
                }
            }
            return Assignment(
                first: Tensor(first, device: tokens.device),
                second: Tensor(second, device: tokens.device),
                labels: Tensor(labels, device: tokens.device))
        }
    }
}
