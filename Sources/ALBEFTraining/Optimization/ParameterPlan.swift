package import ALBEF
import Foundation
import OrderedCollections
package import Torch

/// Which parameters of a model a run trains, and at what learning rate relative to the optimizer's.
///
/// A parameter's factor is its part's (`optimizer.rates`), times `optimizer.new_parts_rate` if it was
/// made at random in a model whose other parts were taken from elsewhere, and times the layer decay
/// if not. New parameters have nothing to lose, so that the decay spares them wherever they are.
package struct ParameterPlan: Sendable, Hashable {
    /// One parameter.
    package struct Entry: Sendable, Hashable {
        /// Its name.
        package let name: String
        /// Its part.
        package let part: ModelPart
        /// How many numbers it holds.
        package let count: Int
        /// Whether it was made at random.
        package let isNew: Bool
        /// What becomes of it.
        package let state: TrainedParts.State
        /// Its learning rate relative to the optimizer's.
        package let rateFactor: Double
    }

    /// Every parameter, in the model's order.
    package let entries: [Entry]

    /// The names of what stays as it is.
    package var frozen: Set<String> {
        Set(entries.filter { $0.state == .frozen }.map(\.name))
    }

    /// Decides about every parameter of a model.
    ///
    /// - Parameters:
    ///   - configuration: the run's settings.
    ///   - newParts: the names of what was made at random in the model that the run starts from; not
    ///     needed where it starts from none, because all is new then.
    /// - Throws: ``TrainingError`` for a name that means nothing, where nothing would train, or for a
    ///   factor that nothing would have; it names the setting.
    package init(
        _ model: ALBEFModel, _ configuration: PretrainingConfiguration, newParts: Set<String>
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
                "is \(settings.newPartsRate), but the model that the run starts from has no new part"
            )
        }
        entries = zip(subjects, model.parameters.values).map { subject, parameter in
            let isFrozen = patterns.contains { $0.matches(subject) }
            let isUsed = configuration.objectives.depend(on: subject.place)
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
                    ? "freezes every part: nothing would train"
                    : "freezes every part that the objectives depend on: nothing would train")
        }
        // Every step keeps the temperature within its bounds, and would move this one.
        if let temperature = model.temperature, frozen.contains(temperature.name) {
            let value = Float(temperature.value.scalar())
            let bounds = (Float(settings.minimumTemperature), Float(settings.maximumTemperature))
            guard value >= bounds.0, value <= bounds.1 else {
                throw .setting(
                    "optimizer.frozen",
                    "freezes the temperature, but it is \(value), which is out of its bounds"
                        + " (objectives.contrastive.minimum_temperature and maximum_temperature)")
            }
        }
    }

    /// The groups of an optimizer: what is not frozen, by learning rate, with decay and without.
    ///
    /// The highest rate comes first; where all are equal there are two groups.
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

/// Lower learning rates for lower blocks, which hold what is most general.
///
/// Clark et al., 2020 ("ELECTRA"); for image encoders Bao et al., 2022 ("BEiT") and He et al., 2022
/// ("Masked autoencoders are scalable vision learners").
package struct LayerDecay: Sendable, Hashable {
    private let decay: Double

    /// Describes a decay; 1 is none.
    package init(_ decay: Double) { self.decay = decay }

    /// The factor `decay^h` of what lies h blocks below the end of its stack, itself included.
    ///
    /// Of L blocks counted from 0, block i has `decay^(L - i)`, the embeddings have
    /// `decay^(L + 1)`, and what comes after the last block has 1.
    package func factor(height: Int) -> Double { pow(decay, Double(height)) }
}

extension PretrainingConfiguration.Optimizer.Rates {
    fileprivate subscript(part: ModelPart) -> Double {
        switch part {
        case .image: image
        case .text: text
        case .fusion: fusion
        case .heads: heads
        }
    }
}

extension ObjectiveConfiguration {
    /// Whether a loss depends on a parameter.
    fileprivate func depend(on place: ParameterPlace) -> Bool {
        switch (place.part, place.section) {
        case (.fusion, _): usesFusion
        case (.heads, .other("projections")), (.heads, .other("temperature")):
            contrastive.weight > 0
        case (.heads, .other("matching")): matching.weight > 0
        case (.heads, .other("words")): maskedLanguage.weight > 0
        default: true
        }
    }
}
