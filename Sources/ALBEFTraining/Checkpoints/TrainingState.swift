import WeightFiles
import ALBEF
import ImageText
import OrderedCollections
import SystemPackage
import Torch

/// All that a training step changes, and so all that a checkpoint holds: weights, twins, queues,
/// averages of the optimizer, generators, and how far the run is.
struct TrainingState {
    let student: ALBEFModel
    let objective: PretrainingObjective
    let optimizer: AdamW
    /// What trains, and at what rate.
    let plan: ParameterPlan
    /// What was made at random in the model that the run began with.
    private let newParts: Set<String>
    /// Draws negatives and hidden tokens, on the processor.
    let choices: Generator
    /// Draws what is dropped, on the device.
    let dropping: Generator
    var progress = TrainingProgress()

    static let fileName = "training.safetensors"
    /// The names of the new parts in that file's metadata; without such parts there is none.
    private static let newPartsKey = "new_parts"

    /// The state at the beginning of a run, or as a checkpoint has it.
    ///
    /// - Parameters:
    ///   - source: a checkpoint or another model to start from; nil for random weights.
    ///   - isCheckpoint: whether `source` is a checkpoint, to be continued exactly.
    ///   - newParts: what was made at random in `source`; nil: what its directory says. A checkpoint
    ///     knows it by itself.
    init(
        _ configuration: PretrainingConfiguration, vocabulary: Vocabulary, device: Device,
        source: FilePath?, isCheckpoint: Bool, newParts: Set<String>?
    ) throws {
        let seed = configuration.training.seed
        choices = try Generator(seed: seed &+ 1)
        dropping = try Generator(seed: seed &+ 2, device: device)
        let initial = try Generator(seed: seed)
        let files = try source.map { try ModelDirectory.open($0) }
        if let files {
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
            } ?? newParts ?? files?.newParts ?? []
        plan = try ParameterPlan(student, configuration, newParts: self.newParts)
        let settings = configuration.objectives
        let teacher =
            try settings.teacher.isEnabled
            ? MomentumTeacher(of: student, storedIn: files, still: plan.frozen) : nil
        var queues: ContrastiveQueues?
        if settings.contrastive.queue > 0 {
            let fresh = ContrastiveQueues(
                width: student.configuration.embeddingWidth, length: settings.contrastive.queue,
                generator: initial, device: device)
            queues =
                isCheckpoint
                ? try files.flatMap { try ContrastiveQueues($0, device: device) } : fresh
        }
        let special = vocabulary.special
        objective = try PretrainingObjective(
            student: student, teacher: teacher, queues: queues, configuration: settings,
            masking: TokenMasking(
                probability: settings.maskedLanguage.probability,
                vocabularySize: vocabulary.count, mask: special.mask,
                kept: [special.padding, special.start]),
            choices: GeneratedChoices(generator: choices),
            dropout: Dropout(settings.dropout, generator: dropping),
            isCheckpointed: configuration.training.gradientCheckpointing)
        let decays = settings.isFaithful ? .original : configuration.optimizer.decays
        optimizer = AdamW(
            plan.groups(of: student, decays, decay: configuration.optimizer.weightDecay),
            learningRate: configuration.optimizer.learningRate)
        if let stored, let source { try restore(from: source, stored) }
    }

    private mutating func restore(from checkpoint: FilePath, _ file: SafetensorsFile) throws {
        progress = try TrainingProgress(checkpoint: checkpoint, olderIn: file)
        try choices.restore(Tensor(file.tensor("generator/choices")).clone())
        try dropping.restore(Tensor(file.tensor("generator/dropout")).clone())
        try optimizer.restore(from: file)
    }

    /// Writes a checkpoint: a model directory with the twins and the queues, and what else a run
    /// needs to go on.
    func write(to directory: FilePath, vocabulary: FilePath) throws {
        var entries = student.entries
        if let teacher = objective.teacher { entries += teacher.entries }
        if let queues = objective.queues {
            // Without a use for them the reference's pretraining model does not know of the ids.
            let usesIDs = objective.configuration.contrastive.positives != .pair
            entries += queues.entries(withIDs: usesIDs)
        }
        try ModelDirectory.write(
            entries, configuration: student.configuration, vocabulary: vocabulary, to: directory,
            metadata: objective.configuration.metadata)
        try SafetensorsWriter.write(
            optimizer.entries + [
                choices.state().entry(named: "generator/choices"),
                dropping.state().entry(named: "generator/dropout"),
            ],
            metadata: newParts.isEmpty
                ? [:] : [Self.newPartsKey: newParts.sorted().joined(separator: " ")],
            to: directory.appending(Self.fileName))
        try progress.write(to: directory)
    }
}
