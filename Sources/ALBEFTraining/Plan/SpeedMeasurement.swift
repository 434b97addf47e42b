import ALBEF
import Foundation
import OrderedCollections
import Torch

/// Measures the speed of this machine's processor for the layers of a run.
///
/// It times single operators at the sizes of the model, and then a whole step of the same model
/// with few layers per encoder, which corrects their sum.
struct SpeedMeasurement {
    private let shape: StepShape
    /// The time for each operator, in seconds.
    private static let patience = 0.12
    /// The longest time for one step of the small model, in seconds.
    private static let stepPatience = 0.5

    init(_ shape: StepShape) { self.shape = shape }

    /// Measures the speed, in about two seconds.
    ///
    /// - Throws: `TorchError` if there is not enough memory.
    func run() throws -> MachineSpeed {
        var speed = try recovering {
            MachineSpeed(
                products: products(), attention: attention(), elements: elements(),
                updates: try updates(), threads: threadCount)
        }
        speed.cores = ProcessInfo.processInfo.activeProcessorCount
        speed.correction = try correction(speed)
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

    // MARK: A small step

    /// Returns the time of a step of the smallest model with these layers, relative to its
    /// prediction.
    private func correction(_ speed: MachineSpeed) throws -> Double {
        var small = shape
        small.sizes.vision.depth = min(1, shape.sizes.vision.depth)
        let text = shape.sizes.text
        if !text.sharesLayers {
            small.sizes.text.fusionLayer = min(1, text.textDepth)
            small.sizes.text.depth =
                small.sizes.text.fusionLayer + min(2, text.depth - text.fusionLayer)
        }
        small.sizes.text.vocabularySize = min(2_000, text.vocabularySize)
        small.objectives.contrastive.queue = 0
        small.accumulation = 1
        small.pairs = 2
        let seconds = StepTime(
            StepStages(small).total, passes: 1, updateBytes: 0, images: 0, speed
        ).computing
        let fitting = 2 * Self.stepPatience / max(seconds, 1e-9)
        small.pairs = max(2, min(shape.pairs, Int(min(fitting, 1e6))))
        let predicted = StepTime(
            StepStages(small).total, passes: 1, updateBytes: 0, images: 0, speed
        ).computing
        let measured = try SmallStep(small).seconds()
        return min(max(measured / max(predicted, 1e-9), 0.2), 20)
    }
}

/// Steps of a small model over random pairs, for measuring.
private struct SmallStep {
    private let student: ALBEFModel
    private let objective: PretrainingObjective
    private let batch: PretrainingBatch
    private let alpha: Double
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
        let ids = (0..<shape.pairs * shape.length).map { 2 + $0 * 7_919 % max(1, vocabulary - 2) }
        let real = Int(shape.meanLength.rounded())
        let mask = (0..<shape.pairs * shape.length).map { $0 % shape.length < real ? 1 : 0 }
        batch = PretrainingBatch(
            images: images, ids: Tensor(ids, shape: [shape.pairs, shape.length]),
            mask: Tensor(mask, shape: [shape.pairs, shape.length]),
            imageIDs: .arange(0..<shape.pairs))
        alpha = objectives.teacher.isEnabled ? objectives.teacher.alpha : 0
    }

    /// Returns the shortest time of a forward and backward pass.
    func seconds() throws -> Double {
        let clock = ContinuousClock()
        var best = Double.infinity
        var total = 0.0
        var turns = 0
        // The first step also requests its memory from the system.
        while turns < 3 || (turns < 20 && total < 0.4) {
            let time = try clock.measure {
                try recovering {
                    for parameter in trained { parameter.value.setGrad(nil) }
                    try objective(batch, alpha: alpha).total.backward()
                }
            }.seconds
            if turns > 0 { best = min(best, time) }
            total += time
            turns += 1
        }
        return best
    }
}
