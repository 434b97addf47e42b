import ALBEF
import Foundation
import OrderedCollections
import Torch

/// Measures the speed of this machine's processor for the layers of a run.
///
/// It times single operators at the sizes of the model, and then steps, which correct their sum:
/// those of the model itself if one takes a second at most, and otherwise those of the same model
/// with few layers per encoder, whose image encoder is also timed alone.
struct SpeedMeasurement {
    private let shape: StepShape
    /// The time for each operator, in seconds.
    private static let patience = 0.12
    /// The longest time for one step of the model, in seconds.
    private static let stepPatience = 1.0
    /// The same with few layers.
    private static let fewLayersPatience = 3.0
    /// Rows of the table of words beyond these add memory, and hardly time.
    private static let words = 32_000

    init(_ shape: StepShape) { self.shape = shape }

    /// Measures the speed, in 4 to 30 seconds.
    ///
    /// - Throws: `TorchError` if there is not enough memory.
    func run() throws -> MachineSpeed {
        var speed = try recovering {
            MachineSpeed(
                products: products(), attention: attention(), elements: elements(),
                updates: try updates(), threads: threadCount)
        }
        speed.cores = ProcessInfo.processInfo.activeProcessorCount
        try correct(&speed)
        return speed
    }

    // MARK: Operators

    /// Returns the rate of an operator: the work of one call, divided by its shortest time.
    private func rate(_ work: Double, _ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var best = Double.infinity
        var calls = 0
        while calls < 3 || (start.duration(to: clock.now).seconds < Self.patience && calls < 200) {
            best = min(best, try clock.measure(body).seconds)
            calls += 1
        }
        return work / max(best, 1e-9)
    }

    /// The width of the wider encoder, where most products are.
    private var width: Int { max(shape.sizes.vision.width, shape.sizes.text.width) }
    private var tokens: Int {
        min(1_024, max(64, shape.pairs * shape.sizes.vision.tokenCount))
    }

    private func products() -> Double {
        let x = Tensor.full([tokens, width], 0.5)
        let weight = Tensor.full([4 * width, width], 0.01)
        return rate(2 * Double(tokens) * Double(4 * width * width)) {
            _ = x.linear(weight, nil)
        }
    }

    private func attention() -> Double {
        let vision = shape.sizes.vision
        let (rows, length) = (min(shape.pairs, 4), vision.tokenCount)
        let states = Tensor.full([rows, vision.heads, length, vision.width / vision.heads], 0.1)
        return rate(4 * Double(rows * length * length * vision.width)) {
            _ = Tensor.attention(states, states, states)
        }
    }

    private func elements() -> Double {
        let x = Tensor.full([tokens, 4 * width], 0.5)
        return rate(Double(5 * 4 * tokens * 4 * width)) { _ = (x + x).gelu() }
    }

    private func updates() throws -> Double {
        let count = 4_000_000
        let parameter = Parameter(name: "w", value: .full([count], 0.1).requiringGrad())
        let gradient = Tensor.full([count], 0.01)
        let optimizer = AdamW([.init([parameter], weightDecay: 0.01)], learningRate: 1e-6)
        return try rate(Double(7 * 4 * count)) {
            parameter.value.setGrad(gradient)
            try optimizer.step()
        }
    }

    // MARK: Steps

    /// Sets the corrections to the time of steps, relative to their prediction.
    private func correct(_ speed: inout MachineSpeed) throws {
        var model = shape
        model.sizes.text.vocabularySize = min(Self.words, shape.sizes.text.vocabularySize)
        model.objectives.contrastive.queue = 0
        model.accumulation = 1
        let whole = Self.seconds(model, speed)
        if whole <= Self.stepPatience {
            let measured = try MeasuredStep(model).seconds(imagesAlone: false)
            speed.imageCorrection = Self.ratio(measured, whole)
            speed.correction = speed.imageCorrection
            return
        }
        model = Self.fewLayers(model)
        model.pairs = 2
        let fitting = 2 * Self.fewLayersPatience / max(Self.seconds(model, speed), 1e-9)
        model.pairs = max(2, min(shape.pairs, Int(min(fitting, 1e6))))
        let step = try MeasuredStep(model)
        let images = try step.seconds(imagesAlone: true)
        let all = try step.seconds(imagesAlone: false)
        let predicted = Self.seconds(model, speed)
        speed.correction = 0
        let predictedImages = Self.seconds(model, speed)
        speed.imageCorrection = Self.ratio(images, predictedImages)
        speed.correction = Self.ratio(all - images, predicted - predictedImages)
    }

    /// The predicted time of a forward and backward pass.
    private static func seconds(_ shape: StepShape, _ speed: MachineSpeed) -> Double {
        StepTime(StepStages(shape), passes: 1, updateBytes: 0, images: 0, speed).computing
    }

    private static func ratio(_ measured: Double, _ predicted: Double) -> Double {
        min(max(measured / max(predicted, 1e-9), 0.2), 20)
    }

    /// The same model with two blocks in the image encoder, a text layer and two fusion layers.
    private static func fewLayers(_ shape: StepShape) -> StepShape {
        var few = shape
        few.sizes.vision.depth = min(2, shape.sizes.vision.depth)
        let text = shape.sizes.text
        if !text.sharesLayers {
            few.sizes.text.fusionLayer = min(1, text.textDepth)
            few.sizes.text.depth =
                few.sizes.text.fusionLayer + min(2, text.depth - text.fusionLayer)
        }
        return few
    }
}

/// Steps of a model over random pairs, for measuring.
private struct MeasuredStep {
    private let student: ALBEFModel
    private let objective: PretrainingObjective
    private let batch: PretrainingBatch
    private let alpha: Double
    private let isCheckpointed: Bool
    private let trained: [Parameter]

    init(_ shape: StepShape) throws {
        let generator = try Generator(seed: 1)
        var sizes = shape.sizes
        sizes.isTrained = true
        student = try ALBEFModel(sizes, parameters: RandomParameters(generator: generator))
        let still = Set(
            student.parameters.keys.filter {
                !shape.parts.trains(ParameterPlace($0, sizes.text).address)
            })
        trained = student.parameters.values.filter { !still.contains($0.name) }
        for parameter in trained { parameter.value = parameter.value.requiringGrad() }
        let objectives = shape.objectives
        let vocabulary = sizes.text.vocabularySize
        objective = try PretrainingObjective(
            student: student,
            teacher: objectives.teacher.isEnabled
                ? MomentumTeacher(copying: student, still: still) : nil,
            queues: nil, configuration: objectives,
            masking: TokenMasking(
                probability: objectives.maskedLanguage.probability, vocabularySize: vocabulary,
                mask: 1, kept: [0]),
            choices: GeneratedChoices(generator: generator),
            dropout: Dropout(objectives.dropout, generator: generator),
            isCheckpointed: shape.isCheckpointed)
        let side = sizes.vision.imageSize
        let pixels = Tensor.normal([shape.pairs, 3, side, side], generator: generator)
        let images: ImageInput
        if shape.cachedParts > 0, let trunk = student.visualEncoder.trunk {
            images = .stageMap(
                withoutGradients { trunk.stageMap(pixels, stages: shape.cachedParts) },
                stages: shape.cachedParts)
        } else {
            images = .pixels(pixels)
        }
        let real = Int(shape.meanLength.rounded())
        let columns = (0..<shape.pairs * shape.length).map { ($0, $0 % shape.length) }
        // As in texts, neither the first token nor padding is ever hidden.
        let ids = columns.map { place, column in
            column == 0 || column >= real ? 0 : 2 + place * 7_919 % max(1, vocabulary - 2)
        }
        let mask = columns.map { $0.1 < real ? 1 : 0 }
        batch = PretrainingBatch(
            images: images, ids: Tensor(ids, shape: [shape.pairs, shape.length]),
            mask: Tensor(mask, shape: [shape.pairs, shape.length]),
            imageIDs: .arange(0..<shape.pairs))
        alpha = objectives.teacher.isEnabled ? objectives.teacher.alpha : 0
        isCheckpointed = shape.isCheckpointed
    }

    /// Returns the shortest time of a forward and backward pass.
    ///
    /// - Parameter imagesAlone: Whether only the image encoders run, the teacher's without gradients.
    func seconds(imagesAlone: Bool) throws -> Double {
        let clock = ContinuousClock()
        var best = Double.infinity
        var total = 0.0
        var turns = 0
        // The first step also requests its memory from the system.
        while turns < 2 || (turns < 20 && total < 3) {
            let time = try clock.measure {
                try recovering {
                    for parameter in trained { parameter.value.setGrad(nil) }
                    if imagesAlone {
                        try encodeImages()
                    } else {
                        try objective(batch, alpha: alpha).total.backward()
                    }
                }
            }.seconds
            if turns > 0 { best = min(best, time) }
            total += time
            turns += 1
        }
        return best
    }

    private func encodeImages() throws {
        let map = try student.trunkMap(batch.images, isCheckpointed: isCheckpointed)
        let tokens = try student.encodeImages(ofMap: map, isCheckpointed: isCheckpointed).tokens
        if let teacher = objective.teacher {
            try withoutGradients {
                let shared = teacher.sharesTrunk ? map : try teacher.model.trunkMap(batch.images)
                _ = try teacher.model.encodeImages(ofMap: shared)
            }
        }
        if tokens.requiresGrad { try tokens.sum().backward() }
    }
}
