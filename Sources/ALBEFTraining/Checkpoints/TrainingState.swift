import ALBEF
import ImageText
import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// Everything that a training step changes, and therefore everything that a checkpoint stores: the
/// weights, the momentum teacher, the queues, the optimizer's averages, the random generators and
/// the progress.
struct TrainingState {
    let student: ALBEFModel
    /// The moving average of the student; nil without distillation.
    let teacher: MomentumTeacher?
    /// ITC, ITM and MLM, whose queues belong to the state; nil for tasks that train otherwise.
    let pretraining: PretrainingObjective?
    let optimizer: AdamW
    /// The parameters that are trained, with their learning rates.
    let plan: ParameterPlan
    /// The settings of the objectives.
    let objectives: ObjectiveConfiguration
    /// The names of the parts that were randomly initialized in the model that the run began with.
    private let newParts: Set<String>
    /// Makes the random choices of the objectives, such as hard negatives; on the CPU.
    let choices: Generator
    /// Draws dropout masks; on the device.
    let dropping: Generator
    /// The dropout of the BERT layers; nil without it.
    let dropout: Dropout?
    /// The division of the optimizer's state among processes; nil if each has all of it.
    let shards: OptimizerShards?
    private let seed: UInt64
    var progress = TrainingProgress()

    static let fileName = "training.safetensors"
    /// The metadata key for the names of the new parts; absent if there are none.
    private static let newPartsKey = "new_parts"

    /// Creates the state of a new run, or restores it from a checkpoint.
    ///
    /// - Parameters:
    ///   - source: A checkpoint or another model to start from; nil for random weights.
    ///   - isCheckpoint: Whether `source` is a checkpoint, to be continued exactly.
    ///   - newParts: The parts of `source` that were randomly initialized; nil to read them from
    ///     its directory. Ignored for a checkpoint, which records them itself.
    ///   - ranks: The processes that train together.
    init(
        _ configuration: TrainingConfiguration, vocabulary: Vocabulary, device: Device,
        source: FilePath?, isCheckpoint: Bool, newParts: Set<String>?,
        ranks: TrainingRanks
    ) throws {
        seed = configuration.training.seed
        choices = try Generator(seed: seed &+ 1)
        dropping = try Generator(seed: seed &+ 2, device: device)
        dropout = Dropout(configuration.objectives.dropout, generator: dropping)
        let initial = try Generator(seed: seed)
        let files = try source.map { try ModelDirectory.open($0) }
        let task = configuration.model.task
        var start: TaskStart?
        if let files, !isCheckpoint, task != .pretraining {
            let begun = try TaskStart(
                task, from: files, imageSize: configuration.model.imageSize,
                maximumTokens: configuration.model.maximumTokens, generator: initial,
                device: device)
            (student, start) = (begun.model, begun)
        } else if let files {
            student = try ALBEFModel(files, trainableOn: device)
        } else {
            var sizes = configuration.model.configuration(vocabularySize: vocabulary.count)
            sizes.isTrained = true
            student = try ALBEFModel(
                sizes, parameters: RandomParameters(generator: initial), device: device)
            let temperature = configuration.objectives.contrastive.temperature
            student.temperature?.value = .full([], temperature, device: device)
        }
        let stored =
            isCheckpoint ? try source.map { try SafetensorsFile($0.appending(Self.fileName)) } : nil
        self.newParts =
            stored.map { file in
                let names = file.metadata[Self.newPartsKey] ?? ""
                return Set(names.split(separator: " ").map(String.init))
            } ?? newParts ?? files.map { $0.newParts.union(start?.newParts ?? []) } ?? []
        plan = try ParameterPlan(student, configuration, newParts: self.newParts)
        let settings = configuration.objectives
        objectives = settings
        let distils = settings.teacher.isEnabled && task != .textAssignment
        teacher =
            !distils
            ? nil
            : task == .nlvr && settings.isFaithful && !isCheckpoint
                ? try MomentumTeacher(untrainedFor: student, generator: initial)
                : try start?.teacher(still: plan.frozen)
                    ?? MomentumTeacher(of: student, storedIn: files, still: plan.frozen)
        pretraining =
            task.aligns
            ? try Self.objective(
                configuration, student, teacher, vocabulary.special, words: vocabulary.count,
                queuesIn: isCheckpoint ? files : nil, initial: initial,
                choices: GeneratedChoices(generator: choices),
                dropout: dropout, ranks: ranks) : nil
        let decays = settings.isFaithful ? .original : configuration.optimizer.decays
        optimizer = AdamW(
            plan.groups(of: student, decays, decay: configuration.optimizer.weightDecay),
            learningRate: configuration.optimizer.learningRate)
        shards =
            configuration.distributed.shardsOptimizer
            ? ranks.group.map { [optimizer] in
                OptimizerShards(optimizer.groups.flatMap(\.parameters), group: $0)
            } : nil
        optimizer.owned = shards?.names
        if let stored, let source { try restore(from: source, stored) }
    }

    /// Creates the objective of pretraining.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint with the queues; nil for new ones.
    ///   - initial: Draws the keys of new queues.
    private static func objective(
        _ configuration: TrainingConfiguration, _ student: ALBEFModel,
        _ teacher: MomentumTeacher?, _ special: Vocabulary.SpecialTokens, words: Int,
        queuesIn checkpoint: ModelDirectory?, initial: Generator, choices: GeneratedChoices,
        dropout: Dropout?, ranks: TrainingRanks
    ) throws -> PretrainingObjective {
        let settings = configuration.objectives
        var queues: ContrastiveQueues?
        if settings.contrastive.queue > 0 {
            if let checkpoint {
                queues = try ContrastiveQueues(checkpoint, device: student.device)
            } else {
                queues = ContrastiveQueues(
                    width: student.configuration.embeddingWidth,
                    length: settings.contrastive.queue, generator: initial,
                    device: student.device)
            }
        }
        return try PretrainingObjective(
            student: student, teacher: teacher, queues: queues, configuration: settings,
            masking: TokenMasking(
                probability: settings.maskedLanguage.probability, vocabularySize: words,
                mask: special.mask, kept: [special.padding, special.start]),
            choices: choices, dropout: dropout,
            isCheckpointed: configuration.training.gradientCheckpointing,
            share: BatchShare(
                ranks.group,
                scope: configuration.distributed.hardNegatives == .local ? .part : .batch))
    }

    private mutating func restore(from checkpoint: FilePath, _ file: SafetensorsFile) throws {
        progress = try TrainingProgress(checkpoint: checkpoint, olderIn: file)
        try choices.restore(Tensor(file.tensor("generator/choices")).clone())
        try dropping.restore(Tensor(file.tensor("generator/dropout")).clone())
        try optimizer.restore(from: file)
    }

    /// Gives each process other dropout masks.
    ///
    /// The first process continues the sequence that checkpoints store. The others draw from a
    /// sequence of their own for each step, so a run on the same number of processes resumes
    /// exactly.
    func drawDropout(ofStep step: Int, rank: Int) throws {
        guard rank > 0 else { return }
        let number = UInt64(step) &* 100_003 &+ UInt64(rank)
        let own = seed &+ 2 &+ number &* 0x9E37_79B9_7F4A_7C15
        try dropping.restore(try Generator(seed: own, device: dropping.device).state())
    }

    /// The optimizer's state of all parameters in the first process; empty in the others, if it is
    /// divided.
    func optimizerStates() throws -> [String: AdamW.State] {
        try shards?.gathered(optimizer.states) ?? optimizer.states
    }

    /// Writes a checkpoint: a model directory that includes the momentum teacher and the queues,
    /// and the remaining state that a run needs to resume.
    ///
    /// - Parameter states: The result of ``optimizerStates()``.
    func write(
        to directory: FilePath, vocabulary: FilePath, optimizer states: [String: AdamW.State]
    ) throws {
        var entries = student.entries
        if let teacher { entries += teacher.entries }
        if let queues = pretraining?.queues {
            // The reference's pretraining model has no ids in its queues, so unused ones are left
            // out.
            let usesIDs = objectives.contrastive.positives != .pair
            entries += queues.entries(withIDs: usesIDs)
        }
        try ModelDirectory.write(
            entries, configuration: student.configuration, vocabulary: vocabulary, to: directory,
            metadata: pretraining == nil
                ? ["objectives": student.configuration.task.rawValue] : objectives.metadata)
        try SafetensorsWriter.write(
            AdamW.entries(of: states) + [
                choices.state().entry(named: "generator/choices"),
                dropping.state().entry(named: "generator/dropout"),
            ],
            metadata: newParts.isEmpty
                ? [:] : [Self.newPartsKey: newParts.sorted().joined(separator: " ")],
            to: directory.appending(Self.fileName))
        try progress.write(to: directory)
    }
}
