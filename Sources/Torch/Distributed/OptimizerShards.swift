/// The division of an optimizer's state among processes: each keeps the averages of some parameters,
/// updates these, and sends their new values to the others (Rajbhandari et al., 2020, "ZeRO", stage
/// 1).
package struct OptimizerShards: Sendable {
    private let group: ProcessGroup
    /// The parameters of each process.
    private let owned: [[Parameter]]

    /// Divides parameters so that every process owns about as many elements as the others.
    ///
    /// The division depends only on the parameters and the number of processes.
    package init(_ parameters: [Parameter], group: ProcessGroup) {
        self.group = group
        var owned = [[Parameter]](repeating: [], count: group.count)
        var sizes = [Int](repeating: 0, count: group.count)
        let sorted = parameters.map { ($0, $0.value.count) }
            .sorted { ($1.1, $0.0.name) < ($0.1, $1.0.name) }
        for (parameter, count) in sorted {
            let smallest = sizes.indices.min { (sizes[$0], $0) < (sizes[$1], $1) } ?? 0
            owned[smallest].append(parameter)
            sizes[smallest] += count
        }
        self.owned = owned
    }

    /// The names of the parameters whose state this process keeps.
    package var names: Set<String> { Set(owned[group.rank].map(\.name)) }

    /// Copies the values of all parameters from the processes that own them.
    package func shareValues() throws {
        try withoutGradients {
            for (owner, parameters) in owned.enumerated() where !parameters.isEmpty {
                let values = parameters.map { $0.value.detached() }
                let flat = try group.broadcast(Self.joined(values), from: owner)
                guard owner != group.rank else { continue }
                for (value, new) in zip(values, Self.split(flat, like: values)) {
                    value.copyInPlace(new)
                }
            }
        }
    }

    /// Returns the states of all parameters in the first process, and an empty dictionary in the
    /// others.
    ///
    /// - Parameter states: the states of the parameters that this process owns.
    package func gathered(_ states: [String: AdamW.State]) throws -> [String: AdamW.State] {
        var all: [String: AdamW.State] = [:]
        for (owner, parameters) in owned.enumerated() where !parameters.isEmpty {
            let device = parameters[0].value.device
            // A parameter that never had a gradient has no state.
            let steps = try group.broadcast(
                Tensor(
                    parameters.map { states[$0.name].map { Float($0.step.scalar()) } ?? -1 },
                    device: device), from: owner
            ).values(as: Float.self)
            let known = zip(parameters, steps).filter { $1 >= 0 }
            guard !known.isEmpty else { continue }
            let shapes = known.map { $0.0.value }
            func part(_ path: KeyPath<AdamW.State, Tensor>) throws -> [Tensor] {
                let own = known.map {
                    states[$0.0.name]?[keyPath: path] ?? .zeros($0.0.value.shape, device: device)
                }
                let flat = try group.broadcast(Self.joined(own), from: owner)
                return Self.split(flat, like: shapes)
            }
            let (averages, squares) = (try part(\.average), try part(\.squareAverage))
            guard group.rank == 0 else { continue }
            for (index, entry) in known.enumerated() {
                all[entry.0.name] = AdamW.State(
                    average: averages[index], squareAverage: squares[index],
                    step: Tensor([entry.1], shape: [], device: device))
            }
        }
        return all
    }

    private static func joined(_ tensors: [Tensor]) -> Tensor {
        .concatenated(tensors.map { $0.reshaped(-1) })
    }

    private static func split(_ flat: Tensor, like tensors: [Tensor]) -> [Tensor] {
        var start = 0
        return tensors.map { tensor in
            defer { start += tensor.count }
            return flat[start..<start + tensor.count].reshaped(tensor.shape).clone()
        }
    }
}
