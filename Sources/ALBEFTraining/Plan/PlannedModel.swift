import ALBEF
import ImageText
import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// The model of a run: its sizes, and what the run trains of it.
struct PlannedModel: Sendable {
    /// The sizes of the model.
    let sizes: ALBEFConfiguration
    /// The trunk of its image encoder; nil without one.
    let trunk: EfficientNetConfiguration?
    /// The number of frozen parts of the trunk whose maps the run caches.
    let cachedParts: Int
    /// What the run trains of it.
    let plan: ParameterPlan
    /// The number of the elements that the momentum teacher has of its own.
    let teacherCount: Int

    /// The number of elements of all parameters.
    var parameterCount: Int { plan.entries.reduce(0) { $0 + $1.count } }
    /// The number of elements that train.
    var trainedCount: Int {
        plan.entries.filter { $0.state == .trained }.reduce(0) { $0 + $1.count }
    }

    /// Builds the shapes of the model that a run would train.
    ///
    /// - Throws: ``TrainingError`` and `ALBEFError`, as the run would.
    /// - Complexity: O(p) for p parameters, whatever their sizes: they have shapes, but no memory.
    init(_ configuration: TrainingConfiguration, vocabulary: Vocabulary) throws {
        let files = try configuration.model.start.map { try ModelDirectory.open(FilePath($0)) }
        let sizes =
            files?.configuration
            ?? configuration.model.configuration(vocabularySize: vocabulary.count)
        let temperature =
            try files?.weights.tensors["temp"].map { try Tensor($0).to(.float32).scalar() }
            ?? configuration.objectives.contrastive.temperature
        let model = try ALBEFModel(sizes, parameters: Shapes(value: temperature))
        if configuration.objectives.maskedLanguage.weight > 0, model.maskedLanguage == nil {
            throw ALBEFError.missingHead("text_encoder.cls", sizes.task)
        }
        try self.init(
            model,
            ParameterPlan(model, configuration, newParts: files?.newParts ?? []), configuration)
    }

    /// Describes a model that a run trains.
    ///
    /// - Throws: ``TrainingError`` if the settings ask for feature maps that the run cannot cache.
    init(
        _ model: ALBEFModel, _ plan: ParameterPlan, _ configuration: TrainingConfiguration
    ) throws {
        self.plan = plan
        sizes = model.configuration
        trunk = sizes.vision.trunk
        let frozen = plan.frozen
        // The teacher's copies of parameters without twins do not move, but exist.
        teacherCount =
            configuration.objectives.teacher.isEnabled
            ? plan.entries.filter { !frozen.contains($0.name) }.reduce(0) { $0 + $1.count } : 0
        cachedParts =
            configuration.data.trunkViews > 0
            ? try TrunkMaps.Plan.frozenParts(
                of: model, TrunkMaps.Plan.trunk(of: model), frozen: frozen
            ).count : 0
    }

    /// The number of elements of the teacher that a checkpoint holds.
    var twinCount: Int {
        guard teacherCount > 0 else { return 0 }
        return plan.entries.filter { MomentumTeacher.hasTwin($0.name) }
            .reduce(0) { $0 + $1.count }
    }

    /// The bytes of a cached feature map of the trunk, in half precision.
    var mapBytes: Int {
        guard let trunk, cachedParts > 0 else { return 0 }
        let costs = TrunkCosts(trunk, images: 1, imageSize: sizes.vision.imageSize) { _ in
            .none(4)
        }
        return costs.inputs[cachedParts] / 2
    }

    /// Tensors of any shape that share one element.
    private struct Shapes: ParameterSource {
        let value: Double

        func tensor(named name: String, shape: [Int], initial: Initializer) -> Tensor {
            Tensor.full([], value).expanded(shape)
        }
    }
}
