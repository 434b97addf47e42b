import Synchronization

/// Averages the gradients of parameters over the processes of a group while the backward pass runs.
///
/// The parameters are divided into buckets, in the reverse of their order, because the backward pass
/// reaches the last ones first. As soon as all gradients of a bucket are complete, its exchange
/// begins, and the backward pass goes on beside it (Li et al., 2020, "PyTorch Distributed"). Buckets
/// are exchanged in the same order everywhere.
package final class GradientAverager: Sendable {
    private struct Bucket {
        let members: [Int]
        /// The number of members whose gradients are not complete.
        var missing: Int
        var sum: Collective?
    }

    private struct State {
        var isArmed = false
        var buckets: [Bucket]
        /// The first bucket that has not begun.
        var next = 0
    }

    private let parameters: [Parameter]
    private let group: ProcessGroup
    /// The bucket of each parameter.
    private let places: [Int]
    private let state: Mutex<State>

    /// Creates buckets and attaches to the parameters, which must record gradients already.
    ///
    /// - Parameters:
    ///   - parameters: the parameters, in the order in which the forward pass uses them.
    ///   - group: the processes, each with the same parameters.
    ///   - bucketBytes: the size from which a bucket is full.
    /// - Throws: ``TorchError`` if a parameter records no gradients.
    package init(_ parameters: [Parameter], group: ProcessGroup, bucketBytes: Int) throws {
        self.parameters = parameters
        self.group = group
        var buckets: [[Int]] = []
        var places = [Int](repeating: 0, count: parameters.count)
        var bytes = bucketBytes
        for index in parameters.indices.reversed() {
            if bytes >= bucketBytes {
                buckets.append([])
                bytes = 0
            }
            buckets[buckets.count - 1].append(index)
            places[index] = buckets.count - 1
            let value = parameters[index].value
            bytes += value.count * value.dtype.byteCount
        }
        self.places = places
        state = Mutex(State(buckets: buckets.map { Bucket(members: $0, missing: $0.count) }))
        for (index, parameter) in parameters.enumerated() {
            try Libtorch.onGradient(of: parameter.value.handle) { [weak self] in
                try self?.complete(index)
            }
        }
    }

    deinit {
        for parameter in parameters { try? Libtorch.onGradient(of: parameter.value.handle, nil) }
    }

    /// Makes the next backward pass exchange gradients: the last one of a step.
    package func arm() {
        state.withLock { state in
            state.isArmed = true
            state.next = 0
            for index in state.buckets.indices {
                state.buckets[index].missing = state.buckets[index].members.count
                state.buckets[index].sum = nil
            }
        }
    }

    /// Begins every exchange that can begin after the gradient of a parameter is complete.
    private func complete(_ index: Int) throws {
        try state.withLock { state in
            guard state.isArmed else { return }
            state.buckets[places[index]].missing -= 1
            while state.next < state.buckets.count, state.buckets[state.next].missing == 0 {
                try begin(state.next, &state)
            }
        }
    }

    private func begin(_ index: Int, _ state: inout State) throws {
        let flat = withoutGradients {
            Tensor.concatenated(
                state.buckets[index].members.map { member in
                    let value = parameters[member].value
                    return
                        (value.grad ?? .zeros(value.shape, dtype: value.dtype, device: value.device))
                        .reshaped(-1)
                })
        }
        state.buckets[index].sum = try group.sumBeside(flat)
        state.next = index + 1
    }

    /// Waits until all exchanges have ended, and replaces each gradient by its average.
    ///
    /// A parameter that has no gradient in any process keeps none.
    ///
    /// - Throws: ``ProcessGroupError`` if a process is missing.
    package func finish() throws {
        // A part of the model can be unused in a step.
        let isUsed = try group.allReduce(
            Tensor(
                parameters.map { $0.value.grad == nil ? 0 : 1 } as [Float], device: group.device)
        ).wait().values(as: Float.self)
        let sums = try state.withLock { state in
            while state.next < state.buckets.count { try begin(state.next, &state) }
            state.isArmed = false
            defer { for index in state.buckets.indices { state.buckets[index].sum = nil } }
            return state.buckets.map { ($0.members, $0.sum) }
        }
        try withoutGradients {
            for (members, sum) in sums {
                guard let sum = try sum?.wait() else { continue }
                [sum].scaleInPlace(.full([], 1 / Double(group.count), device: sum.device))
                var start = 0
                for member in members {
                    let value = parameters[member].value
                    let end = start + value.count
                    if isUsed[member] > 0 {
                        value.setGrad(sum[start..<end].reshaped(value.shape))
                    }
                    start = end
                }
            }
        }
    }
}
