package import Foundation
import Storage

/// One line of a run's log.
public enum RunRecord: Codable, Sendable, Hashable {
    /// A training step.
    case step(StepMetrics)
    /// An evaluation of retrieval after a step.
    case evaluation(EvaluationMetrics)
    /// An evaluation of a downstream task after a step.
    case task(TaskMetrics)

    /// Whether the record is an evaluation.
    var isEvaluation: Bool {
        if case .step = self { false } else { true }
    }

    /// The step of the record.
    public var step: Int {
        switch self {
        case .step(let metrics): metrics.step
        case .evaluation(let metrics): metrics.step
        case .task(let metrics): metrics.step
        }
    }

    private enum Key: String, CodingKey { case kind }
    private enum Kind: String, Codable { case step, evaluation, task }

    /// Decodes the record whose kind the key `kind` names.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        switch try container.decode(Kind.self, forKey: .kind) {
        case .step: self = .step(try StepMetrics(from: decoder))
        case .evaluation: self = .evaluation(try EvaluationMetrics(from: decoder))
        case .task: self = .task(try TaskMetrics(from: decoder))
        }
    }

    /// Encodes the measurements and their kind as one object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .step(let metrics):
            try container.encode(Kind.step, forKey: .kind)
            try metrics.encode(to: encoder)
        case .evaluation(let metrics):
            try container.encode(Kind.evaluation, forKey: .kind)
            try metrics.encode(to: encoder)
        case .task(let metrics):
            try container.encode(Kind.task, forKey: .kind)
            try metrics.encode(to: encoder)
        }
    }
}

/// The JSON coding of a run's files.
///
/// Non-finite numbers, which a diverged run has, are written as the strings `NaN`, `Infinity` and
/// `-Infinity`.
package enum RunJSON {
    package static func encoder(_ formatting: JSONEncoder.OutputFormatting = []) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }

    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return decoder
    }
}
