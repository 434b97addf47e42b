import OrderedCollections
public import Torch
package import WeightFiles

/// The momentum teacher: a moving average of the student.
///
/// Its features are the keys of ITC (section 3.2), and its predictions soften labels (section
/// 3.3, equations 6 and 7). Encoders, projections and the MLM head have twins, whose modules' names end with
/// `_m`; the ITM head and the temperature do not.
public final class MomentumTeacher {
    /// The twins as a model, whose ITM head and temperature are untrained copies.
    public let model: ALBEFModel
    /// The number of moves by ``follow(momentum:)``.
    package private(set) var moves = 0
    /// Whether student and teacher have the same trunk, so that its feature maps serve both.
    package let sharesTrunk: Bool
    private let student: [Parameter]
    /// The parameters that move towards their counterparts in ``student``.
    private let twins: [Parameter]

    /// Creates a teacher as a copy of its student.
    ///
    /// - Parameters:
    ///   - student: the model being trained.
    ///   - still: the names of frozen parameters; empty by default. The teacher uses the student's
    ///     own tensors for them, which costs neither memory nor time.
    /// - Throws: an error of building the model, which does not occur for a valid student.
    public convenience init(copying student: ALBEFModel, still: Set<String> = []) throws {
        try self.init(of: student, from: Copies(student: student), still: still)
    }

    /// Creates a teacher with random weights, as the original fine-tunes for NLVR2.
    ///
    /// The original copies the student before it loads the weights of pretraining. At a momentum of
    /// 0.995 the teacher still has more than a third of these weights after 200 steps.
    ///
    /// - Parameters:
    ///   - student: the model being trained.
    ///   - generator: the source of random weights.
    /// - Throws: an error of building the model, which does not occur for a valid student.
    public convenience init(untrainedFor student: ALBEFModel, generator: Generator) throws {
        try self.init(of: student, from: RandomParameters(generator: generator))
    }

    /// Creates a teacher from twins that a source has under the student's names.
    ///
    /// - Parameters:
    ///   - student: the model being trained.
    ///   - source: the source of twins.
    ///   - still: as in ``init(copying:still:)``; the source is not asked for these.
    /// - Throws: the source's error for a missing or misshapen twin.
    package init(
        of student: ALBEFModel, from source: any ParameterSource, still: Set<String> = []
    ) throws {
        model = try ALBEFModel(
            student.configuration,
            parameters: Sharing(student: student, names: still, source: source),
            device: student.device)
        let trunk = student.parameters.keys.filter { $0.hasPrefix("visual_encoder.trunk.") }
        sharesTrunk = !trunk.isEmpty && trunk.allSatisfy(still.contains)
        let names = student.parameters.keys.filter { Self.hasTwin($0) && !still.contains($0) }
        self.student = names.compactMap { student.parameters[$0] }
        twins = names.compactMap { [model] in model.parameters[$0] }
    }

    /// Returns whether a parameter has a twin.
    package static func hasTwin(_ name: String) -> Bool {
        ParameterLayout.twin(of: name) != nil && !name.hasPrefix("itm_head.")
    }

    /// Moves every twin towards its parameter: `m · twin + (1 - m) · parameter`.
    ///
    /// - Parameter momentum: m; 0.995 in the original.
    public func follow(momentum: Double) {
        move(weight: 1 - momentum)
        if !TorchError.isPending { moves += 1 }
    }

    /// Reverses the last move, up to rounding, if the student has not changed since.
    ///
    /// - Parameter momentum: m of that move; at 0, which cannot be reversed, nothing happens.
    package func moveBack(momentum: Double) {
        guard momentum > 0 else { return }
        move(weight: 1 - 1 / momentum)
    }

    private func move(weight: Double) {
        withoutGradients {
            twins.map(\.value).moveInPlace(
                towards: student.map { $0.value.detached() }, weight: weight)
        }
    }

    /// The twins as entries of a weights file, under the original's names.
    package var entries: [SafetensorsWriter.Entry] {
        model.storedParameters.filter { Self.hasTwin($0.name) }.compactMap { name, value in
            ParameterLayout.twin(of: name).map { value.entry(named: $0) }
        }
    }

    /// A source that returns the student's own tensors for frozen parameters.
    private struct Sharing: ParameterSource {
        let student: ALBEFModel
        let names: Set<String>
        let source: any ParameterSource

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            guard names.contains(name), let parameter = student.parameters[name] else {
                return try source.tensor(named: name, shape: shape, initial: initial)
            }
            return parameter.value.detached()
        }
    }

    private struct Copies: ParameterSource {
        let student: ALBEFModel

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            guard let parameter = student.parameters[name] else {
                return .zeros(shape, device: student.device)
            }
            return parameter.value.detached().clone()
        }
    }
}
