import SystemPackage
package import Torch

extension AdamW {
    /// The averages and step counts of the updated parameters, under PyTorch's names.
    package static func entries(
        of states: [String: State]
    ) -> [SafetensorsWriter.Entry] {
        states.sorted { $0.key < $1.key }.flatMap { name, state in
            [
                state.average.entry(named: "\(name)/exp_avg"),
                state.squareAverage.entry(named: "\(name)/exp_avg_sq"),
                state.step.entry(named: "\(name)/step"),
            ]
        }
    }

    /// Restores the state that a file holds from ``entries(of:)``.
    ///
    /// A parameter without an entry keeps its state, as does one that another process updates.
    ///
    /// - Throws: `TorchError` if an average has another shape than its parameter; `FileError` if an
    ///   average is missing. Both name it.
    package func restore(from file: SafetensorsFile) throws {
        for parameter in groups.flatMap(\.parameters) {
            let name = parameter.name
            guard file.tensors["\(name)/step"] != nil, owned?.contains(name) ?? true else {
                continue
            }
            let device = parameter.value.device
            func tensor(_ part: String, _ shape: [Int]) throws -> Tensor {
                let found = try Tensor(file.tensor("\(name)/\(part)"))
                guard found.shape == shape else {
                    throw TorchError.shapeMismatch(
                        "\(name)/\(part)", file: file.path.string, expected: shape,
                        found: found.shape)
                }
                return found.clone().to(device)
            }
            let shape = parameter.value.shape
            states[name] = State(
                average: try tensor("exp_avg", shape),
                squareAverage: try tensor("exp_avg_sq", shape), step: try tensor("step", []))
        }
    }
}
