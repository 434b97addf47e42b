package import ALBEF
import Foundation
import OrderedCollections
package import Torch

/// The parameters of a model that a run trains, with their learning rates relative to the
/// optimizer's.
///
/// A parameter's factor is its part's factor (`optimizer.rates`) times a second one. For a randomly
/// initialized parameter in a model that starts from other weights, the second factor is
/// `optimizer.new_parts_rate`; otherwise it is the layer decay. New parameters have nothing to
/// preserve, so the layer decay never applies to them in such a model.
package struct ParameterPlan: Sendable, Hashable {
    /// One parameter.
    package struct Entry: Sendable, Hashable {
        /// The name of the parameter.
        package let name: String
        /// The part that contains it.
        package let part: ModelPart
        /// The number of its elements.
        package let count: Int
        /// Whether it was randomly initialized.
        package let isNew: Bool
        /// Whether it is trained, frozen or unused.
        package let state: TrainedParts.State
        /// Its learning rate relative to the optimizer's.
        package let rateFactor: Double
    }

    /// Every parameter, in the model's order.
    package let entries: [Entry]

    /// The names of the frozen parameters.
    package var frozen: Set<String> {
        Set(entries.filter { $0.state == .frozen }.map(\.name))
    }

    /// Plans the training of every parameter of a model.
    ///
    /// - Parameters:
    ///   - model: The model to train.
    ///   - configuration: The settings of the run.
    ///   - newParts: The names of the parameters that were randomly initialized in the model that
    ///     the run starts from. Ignored if the run starts from random weights, because all
    ///     parameters are new then.
    /// - Throws: ``TrainingError`` that names the setting if a pattern matches no parameter,
    ///   nothing would be trained, or a factor would apply to no parameter.
    package init(
        _ model: ALBEFModel, _ configuration: TrainingConfiguration, newParts: Set<String>
    ) throws(TrainingError) {
        let settings = configuration.optimizer
        let hasStart = configuration.model.start != nil
        let subjects = model.parameters.keys.map { name in
            PartPattern.Subject(
                name: name, place: ParameterPlace(name, model.configuration.text),
                isNew: !hasStart || newParts.contains(name))
        }
        let patterns = settings.frozen.map { PartPattern($0) }
        for pattern in patterns { try pattern.check(subjects) }
        if settings.newPartsRate != 1, !subjects.contains(where: \.isNew) {
            throw .setting(
                "optimizer.new_parts_rate",
                "is \(settings.newPartsRate), but the model that the run starts from has no new"
                    + " parts; set it to 1")
        }
        entries = zip(subjects, model.parameters.values).map { subject, parameter in
            let isFrozen = patterns.contains { $0.matches(subject) }
            let isUsed = configuration.trains(subject.place)
            let ownFactor =
                hasStart && subject.isNew
                ? settings.newPartsRate
                : LayerDecay(settings.layerDecay).factor(
                    height: subject.place.height(below: model.configuration))
            return Entry(
                name: subject.name, part: subject.place.part, count: parameter.value.count,
                isNew: subject.isNew, state: isFrozen ? .frozen : isUsed ? .trained : .unused,
                rateFactor: settings.rates[subject.place.part] * ownFactor)
        }
        try check(model, configuration.objectives.contrastive)
    }

    private func check(
        _ model: ALBEFModel, _ settings: ObjectiveConfiguration.Contrastive
    ) throws(TrainingError) {
        guard entries.contains(where: { $0.state == .trained }) else {
            throw .setting(
                "optimizer.frozen",
                entries.allSatisfy { $0.state == .frozen }
                    ? "freezes every part, so nothing would be trained; leave a part out"
                    : "freezes every part that the objectives depend on, so nothing would be"
                        + " trained; leave one of these parts out")
        }
        // Every step clamps the temperature to its bounds, which would change a frozen one outside
        // them.
        if let temperature = model.temperature, frozen.contains(temperature.name) {
            let value = Float(temperature.value.scalar())
            let bounds = (Float(settings.minimumTemperature), Float(settings.maximumTemperature))
            guard value >= bounds.0, value <= bounds.1 else {
                throw .setting(
                    "optimizer.frozen",
                    "freezes the temperature, but its value \(value) is outside its bounds; change"
                        + " objectives.contrastive.minimum_temperature or maximum_temperature")
            }
        }
    }

    /// Returns the optimizer's groups of all parameters that are not frozen, by learning rate, each
    /// with and without weight decay.
    ///
    /// The highest rate comes first. If all rates are equal, there are two groups.
    package func groups(of model: ALBEFModel, _ decays: WeightDecay, decay: Double) -> [AdamW.Group]
    {
        let moving = entries.filter { $0.state != .frozen }
        return Set(moving.map(\.rateFactor)).sorted(by: >).flatMap { factor in
            decays.groups(
                of: moving.filter { $0.rateFactor == factor }
                    .compactMap { model.parameters[$0.name] },
                decay: decay, rateFactor: factor)
        }
    }
}

/// Learning rates that decrease towards the lower blocks, which contain the most general features.
///
/// The method is from Clark et al., 2020 ("ELECTRA"); image encoders use it in Bao et al., 2022
/// ("BEiT") and He et al., 2022 ("Masked autoencoders are scalable vision learners").
package struct LayerDecay: Sendable, Hashable {
    private let decay: Double

    /// Creates a decay; 1 is no decay.
    package init(_ decay: Double) { self.decay = decay }

    /// Returns the factor `decay^height`.
    ///
    /// Of L blocks counted from 0, block i has `decay^(L - i)`, the embeddings have `decay^(L +
    /// 1)`, and layers after the last block have 1.
    ///
    /// - Parameter height: The number of blocks from the end of the stack, the block itself
    ///   included.
    package func factor(height: Int) -> Double { pow(decay, Double(height)) }
}

extension TrainingConfiguration.Optimizer.Rates {
    fileprivate subscript(part: ModelPart) -> Double {
        switch part {
        case .image: image
        case .text: text
        case .fusion: fusion
        case .heads: heads
        }
    }
}

extension TrainingConfiguration {
    /// Returns whether a loss depends on a parameter.
    fileprivate func trains(_ place: ParameterPlace) -> Bool {
        guard model.task.aligns else {
            // Text assignment compares images by a projection, but does not train it.
            return place.section != .other("projections")
        }
        return switch (place.part, place.section) {
        case (.fusion, _): objectives.usesFusion
        case (.heads, .other("projections")), (.heads, .other("temperature")):
            objectives.contrastive.weight > 0
        case (.heads, .other("matching")): objectives.matching.weight > 0
        case (.heads, .other("words")): objectives.maskedLanguage.weight > 0
        default: true
        }
    }
}
