import ALBEF
import Foundation
public import ImageText
import SystemPackage
import Torch

/// What a training run will need: memory, time and disk space, before it starts.
///
/// The prediction reads the settings, the vocabulary and the annotations as the run would. It
/// builds the model's shapes without their memory, and derives from the layers what autograd keeps.
public struct TrainingPlan: Sendable {
    /// The device of the run that is planned.
    public enum Target: Sendable, Hashable {
        /// The processor of this machine.
        case processor
        /// A GPU, of which nothing can be measured unless it is there.
        case gpu(Int)

        /// Returns the device that a setting names; `auto` stands for the one that this machine
        /// would use.
        ///
        /// - Throws: ``TrainingError`` if the name is unknown.
        public init(named name: String) throws(TrainingError) {
            switch name {
            case "cpu": self = .processor
            case "cuda": self = .gpu(0)
            case "auto" where Device.preferred.kind == .cpu: self = .processor
            case "auto", "mps": self = .gpu(0)
            default:
                guard name.hasPrefix("cuda:"), let index = Int(name.dropFirst(5)), index >= 0 else {
                    throw .setting(
                        "training.device",
                        "is '\(name)', which is unknown; use cpu, cuda, cuda:N, mps or auto")
                }
                self = .gpu(index)
            }
        }
    }

    /// The settings of a plan.
    public struct Options: Sendable {
        /// The memory that the run can use; nil for that of the device.
        public var limit: MemoryLimit?
        /// The speed of the device; nil to measure it, if it is this machine's processor.
        public var speed: MachineSpeed?
        /// The operations that a GPU reaches in matrix products, in 10^12 per second; nil if
        /// unknown, so that no time is predicted.
        public var teraflops: Double?
        /// Whether to measure speeds and images; true by default.
        ///
        /// If not, only memory and disk space are predicted.
        public var measures = true
        /// The memory of the program itself in bytes; nil for that of this process.
        public var programBytes: Int?

        /// Creates the default options.
        public init() {}
    }

    /// The settings of the run.
    public let configuration: TrainingConfiguration
    /// The device.
    public let target: Target
    /// The parts of the model, what the run trains of them, and their learning rates.
    public let parts: TrainedParts
    /// The number of elements that the momentum teacher has of its own.
    public let teacherParameters: Int
    /// The tokens of each text of the longest batch, with which memory is computed.
    public let textLength: Int
    /// The memory of the run.
    public let memory: MemoryPlan
    /// The memory that the device has; nil if unknown.
    public let limit: MemoryLimit?
    /// The disk space of the run.
    public let disk: DiskPlan
    /// The number of steps.
    public let steps: Int
    /// The time of a step; nil if it is unknown.
    public let time: StepTime?
    /// The measured speed; nil if none was measured or given.
    public let speed: MachineSpeed?
    private let basis: Basis

    /// What changed settings need to be predicted again.
    private struct Basis: Sendable {
        let shape: StepShape
        let memoryOf: @Sendable (StepShape) -> MemoryPlan
    }

    /// Whether the peak fits into the device's memory; true if that is unknown.
    public var fits: Bool { limit.map { memory.peak <= $0.bytes } ?? true }

    /// The time of all steps in seconds, without evaluations and checkpoints; nil if unknown.
    public var runSeconds: Double? { time.map { $0.total * Double(steps) } }

    /// Predicts what a run needs.
    ///
    /// - Parameters:
    ///   - configuration: The settings of the run.
    ///   - options: The device's limits and speeds.
    ///   - opener: Opens the shards of training data; by default files and commands.
    ///   - report: Called while shards without an index are counted.
    /// - Throws: The errors that a run with these settings would throw: ``TrainingError``,
    ///   `ALBEFError`, `DatasetError` and others that name an invalid setting or file.
    /// - Complexity: O(n) for n bytes of annotations, and 4 to 30 seconds of measuring, longer
    ///   for a larger step.
    public init(
        _ configuration: TrainingConfiguration, options: Options = Options(),
        opener: ShardOpener = ShardOpener(),
        report: @escaping @Sendable (TrainingRun.Event) -> Void = { _ in }
    ) throws {
        try configuration.validate()
        guard configuration.model.task == .pretraining else {
            throw TrainingError.setting(
                "model.task",
                "is \(configuration.model.task.rawValue); a plan predicts pretraining alone")
        }
        self.configuration = configuration
        target = try Target(named: configuration.training.device)
        guard let words = try configuration.model.vocabularyFile() else {
            throw TrainingError.setting("model.vocabulary", "is required")
        }
        let vocabulary = try Vocabulary(contentsOf: words)
        let model = try PlannedModel(configuration, vocabulary: vocabulary)
        let sizes = model.sizes
        parts = TrainedParts(model.plan, peak: configuration.optimizer.learningRate)
        teacherParameters = model.teacherCount

        let ranks = TrainingRanks(nil)
        let training = try TrainingData(
            configuration, counts: FilePath(".albef-plan-has-no-counts"), opener: opener,
            ranks: ranks, report: report)
        let source = try configuration.source(
            training, for: sizes.vision, maps: nil, opener: opener, ranks: ranks, report: report)
        let preprocessing = ModelPreprocessing(vocabulary: vocabulary, configuration: sizes)
        _ = try configuration.evaluator(
            preprocessing: preprocessing, vocabulary: vocabulary, sizes: sizes)
        let settings = configuration.training
        let stepsPerEpoch = source.batchesPerEpoch / settings.accumulation
        guard stepsPerEpoch > 0 else {
            throw TrainingError.tooFewRows(
                rows: source.rowCount, batchSize: settings.batchSize * settings.accumulation)
        }
        steps = stepsPerEpoch * settings.epochs
        var data = PlannedData(
            training, preprocessing, batchSize: settings.batchSize,
            limit: sizes.text.maximumTokens)
        if options.measures {
            data.measureImages(configuration.trainingTransform(for: sizes.vision))
        }

        let shape = StepShape(configuration, model, data)
        textLength = shape.length

        // Measure before the program's own memory is read, which then includes what libtorch loads.
        var typical = shape
        typical.length = max(1, Int(data.batchLength.rounded()))
        speed = try Self.speed(typical, options, target, data, configuration)
        let isProcessor = target == .processor
        let program = options.programBytes ?? (isProcessor ? Self.ownBytes() : Self.contextBytes)
        let basis = Basis(shape: shape) { [data] shape in
            MemoryPlan(
                shape, model,
                // The batches of a GPU wait in the processor's memory.
                data: isProcessor ? data.bytes(configuration.data, shape) : (0, 0),
                program: program, isProcessor: isProcessor)
        }
        self.basis = basis
        memory = basis.memoryOf(shape)
        limit = options.limit ?? Self.limit(of: target)
        let views = (data.imageCount ?? 0) * configuration.data.trunkViews
        disk = DiskPlan(model, configuration, steps: steps, mapBytes: model.mapBytes * views)
        time = speed.map { speed in
            StepTime(
                StepStages(typical), passes: settings.accumulation,
                updateBytes: Self.updateBytes(model, configuration),
                images: shape.cachedParts == 0
                    ? Double(settings.batchSize * settings.accumulation) : 0, speed)
        }
    }

    // MARK: Parts of the prediction

    private static func speed(
        _ shape: StepShape, _ options: Options, _ target: Target, _ data: PlannedData,
        _ configuration: TrainingConfiguration
    ) throws -> MachineSpeed? {
        let seconds = data.secondsPerImage(configuration.data)
        if let speed = options.speed { return speed }
        if let teraflops = options.teraflops {
            return MachineSpeed(
                teraflops: teraflops, imageSeconds: seconds,
                cores: ProcessInfo.processInfo.activeProcessorCount)
        }
        guard options.measures, target == .processor else { return nil }
        var speed = try SpeedMeasurement(shape).run()
        speed.imageSeconds = seconds
        return speed
    }

    /// The memory of a program that trains, before it has a model: what this process has, once it
    /// has returned what it freed.
    private static func ownBytes() -> Int {
        returnFreedMemory()
        return ProcessMemory.residentBytes ?? 250_000_000
    }

    /// What a CUDA context and the kernels of libtorch take of a GPU.
    private static let contextBytes = 600_000_000

    private static func limit(of target: Target) -> MemoryLimit? {
        switch target {
        case .processor: MemoryLimit.ofMachine
        case .gpu(let index): Device.mps.isAvailable ? .ofMachine : MemoryLimit.ofGPU(index)
        }
    }

    /// The bytes that a step reads and writes for the update: the norm of the gradients, AdamW's
    /// four tensors, and the teacher's move.
    private static func updateBytes(
        _ model: PlannedModel, _ configuration: TrainingConfiguration
    ) -> Double {
        let clips = configuration.optimizer.clipNorm > 0
        return 4
            * (Double(model.trainedCount) * (clips ? 10 : 8) + 3 * Double(model.teacherCount)
                * Double(configuration.training.accumulation))
    }
}

extension TrainingPlan {
    /// Settings that would need less memory, with the peak that they lead to.
    public struct Alternative: Sendable, Hashable, Codable {
        /// The settings, as `--set` takes them.
        public let settings: [String]
        /// The predicted peak in bytes.
        public let peak: Int
        /// Whether it fits.
        public let fits: Bool
    }

    /// Returns what would make a run fit that does not: gradient checkpointing, smaller batches
    /// that are added up to the same number of pairs per step, or both; empty if it fits.
    ///
    /// The batch is halved until it fits or has two pairs. Negatives come from a batch, so a
    /// smaller one also has fewer of them.
    public var alternatives: [Alternative] {
        guard !fits, let limit else { return [] }
        let shape = basis.shape
        func alternative(_ shape: StepShape) -> Alternative {
            var settings: [String] = []
            if shape.isCheckpointed, !basis.shape.isCheckpointed {
                settings.append("training.gradient_checkpointing=true")
            }
            if shape.pairs != basis.shape.pairs {
                settings += [
                    "training.batch_size=\(shape.pairs)",
                    "training.accumulation=\(shape.accumulation)",
                ]
            }
            let peak = basis.memoryOf(shape).peak
            return Alternative(settings: settings, peak: peak, fits: peak <= limit.bytes)
        }
        var found: [Alternative] = []
        for isCheckpointed in shape.isCheckpointed ? [true] : [false, true] {
            var changed = shape
            changed.isCheckpointed = isCheckpointed
            if isCheckpointed != shape.isCheckpointed { found.append(alternative(changed)) }
            guard found.last?.fits != true || !isCheckpointed else { continue }
            var last: Alternative?
            while changed.pairs >= 4, changed.pairs.isMultiple(of: 2), last?.fits != true {
                changed.pairs /= 2
                changed.accumulation *= 2
                last = alternative(changed)
            }
            if let last { found.append(last) }
        }
        return found
    }
}
