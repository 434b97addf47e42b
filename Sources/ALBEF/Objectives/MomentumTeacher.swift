package import WeightFiles
import OrderedCollections
package import Torch

/// The momentum teacher: an average of the student over its last steps, whose features are the keys
/// of ITC (equation 3-1) and whose opinions soften labels (equations 3-7 to 3-9).
///
/// Every encoder, projection and the MLM head has a twin, named with `_m` behind its module; the
/// ITM head and the temperature have none.
public final class MomentumTeacher {
    /// The twins as a model; its ITM head and temperature are copies that nothing trains.
    public let model: ALBEFModel
    /// How often ``follow(momentum:)`` has moved the twins.
    package private(set) var moves = 0
    /// Whether the student and the teacher have one trunk, so that what it makes of an image is the
    /// same for both.
    package let sharesTrunk: Bool
    private let student: [Parameter]
    /// What moves towards its counterpart in ``student``.
    private let twins: [Parameter]

    /// Makes a teacher that starts as a copy of its student.
    ///
    /// - Parameter still: names of parameters that nothing moves; default none. Their twins are the
    ///   student's own tensors, and cost neither memory nor time.
    /// - Throws: never for a student that could be built.
    public convenience init(copying student: ALBEFModel, still: Set<String> = []) throws {
        try self.init(of: student, from: Copies(student: student), still: still)
    }

    /// Makes a teacher from twins that a source holds under the student's names.
    ///
    /// - Parameter still: as in ``init(copying:still:)``; what the source holds of them is not read.
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

    /// Whether a parameter has a twin.
    package static func hasTwin(_ name: String) -> Bool {
        ParameterLayout.twin(of: name) != nil && !name.hasPrefix("itm_head.")
    }

    /// Moves every twin towards its parameter: `m · twin + (1 - m) · parameter`.
    ///
    /// - Parameter momentum: m; the original's is 0.995.
    public func follow(momentum: Double) {
        move(weight: 1 - momentum)
        if !TorchError.isPending { moves += 1 }
    }

    /// Takes the last move back, up to rounding, as long as the student has not moved since.
    ///
    /// - Parameter momentum: m of that move; does nothing where it is 0, which leaves no trace of
    ///   what was.
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
        model.parameters.values.filter { Self.hasTwin($0.name) }.compactMap { twin in
            ParameterLayout.twin(of: twin.name).map { twin.value.entry(named: $0) }
        }
    }

    /// Hands out the student's own tensors where nothing moves them.
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
