import CTorch
import Synchronization

// The handles of process groups; see `Libtorch.swift` for the rule by which they are used.

/// The owner of a connection to the store in which processes meet.
final class StoreHandle: @unchecked Sendable {
    private let raw: ct_store

    init(host: String, port: UInt16, hosts: Bool, milliseconds: Int) throws(TorchError) {
        var result: ct_store?
        try check(ct_store_create(host, port, hosts, Int64(milliseconds), &result))
        guard let result else { throw .libtorch("store: libtorch returned no store") }
        raw = result
    }

    deinit { ct_store_release(raw) }

    func set(_ key: String, _ bytes: [UInt8]) throws(TorchError) {
        try withExtendedLifetime(self) { () throws(TorchError) in
            try check(ct_store_set(raw, key, bytes, bytes.count))
        }
    }

    /// Returns the value of a key, or nil if there is none yet.
    func get(_ key: String) throws(TorchError) -> [UInt8]? {
        var result: ct_tensor?
        try withExtendedLifetime(self) { () throws(TorchError) in
            try check(ct_store_get(raw, key, &result))
        }
        return result.map { Tensor(handle: TensorHandle(owning: $0)).values() }
    }

    fileprivate func withRaw<Result>(
        _ body: (ct_store) throws(TorchError) -> Result
    ) throws(TorchError) -> Result {
        try withExtendedLifetime(self) { () throws(TorchError) in try body(raw) }
    }
}

/// The owner of one set of connections between processes.
final class GroupHandle: @unchecked Sendable {
    private let raw: ct_group
    private let isAbandoned = Atomic<Bool>(false)

    init(
        _ store: StoreHandle, name: String, rank: Int, count: Int, device: Device, host: String,
        milliseconds: Int
    ) throws(TorchError) {
        raw = try store.withRaw { (store) throws(TorchError) in
            var result: ct_group?
            try check(
                ct_group_create(
                    store, name, Int32(rank), Int32(count), device.kind.rawValue,
                    Int64(device.index), host, Int64(milliseconds), &result))
            guard let result else { throw .libtorch("group: libtorch returned no group") }
            return result
        }
    }

    deinit { if !isAbandoned.load(ordering: .relaxed) { ct_group_release(raw) } }

    /// Leaves the connections open until the process ends.
    ///
    /// After a failure, closing them would first wait for work that other processes never finish.
    func abandon() { isAbandoned.store(true, ordering: .relaxed) }

    func allReduce(_ tensor: TensorHandle, milliseconds: Int) throws(TorchError) -> WorkHandle {
        try start { (result) throws(TorchError) in
            try tensor.withRaw { (tensor) throws(TorchError) in
                try check(ct_group_all_reduce(raw, tensor, Int64(milliseconds), &result))
            }
        }
    }

    func allGather(
        _ input: TensorHandle, into output: TensorHandle, milliseconds: Int
    ) throws(TorchError) -> WorkHandle {
        try start { (result) throws(TorchError) in
            try input.withRaw { (input) throws(TorchError) in
                try output.withRaw { (output) throws(TorchError) in
                    try check(
                        ct_group_all_gather(raw, input, output, Int64(milliseconds), &result))
                }
            }
        }
    }

    func broadcast(
        _ tensor: TensorHandle, from source: Int, milliseconds: Int
    ) throws(TorchError) -> WorkHandle {
        try start { (result) throws(TorchError) in
            try tensor.withRaw { (tensor) throws(TorchError) in
                try check(
                    ct_group_broadcast(
                        raw, tensor, Int32(source), Int64(milliseconds), &result))
            }
        }
    }

    private func start(
        _ body: (inout ct_work?) throws(TorchError) -> Void
    ) throws(TorchError) -> WorkHandle {
        try TorchError.throwPending()
        var result: ct_work?
        try withExtendedLifetime(self) { () throws(TorchError) in try body(&result) }
        guard let result else { throw .libtorch("collective: libtorch returned no work") }
        return WorkHandle(owning: result)
    }
}

/// The owner of a collective in progress.
final class WorkHandle: @unchecked Sendable {
    private let raw: ct_work

    fileprivate init(owning raw: ct_work) { self.raw = raw }

    deinit { ct_work_release(raw) }

    /// Waits for the collective, and returns whether it has ended.
    func wait(milliseconds: Int) throws(TorchError) -> Bool {
        var isDone = false
        try withExtendedLifetime(self) { () throws(TorchError) in
            try check(ct_work_wait(raw, Int64(milliseconds), &isDone))
        }
        return isDone
    }
}

/// A function with a derivative of its own.
private final class CustomFunction {
    let forward: (Tensor) throws -> Tensor
    let backward: (Tensor) throws -> Tensor

    init(
        _ forward: @escaping (Tensor) throws -> Tensor,
        _ backward: @escaping (Tensor) throws -> Tensor
    ) {
        (self.forward, self.backward) = (forward, backward)
    }
}

/// An action at the end of a gradient's computation.
private final class GradientAction {
    let act: () throws -> Void

    init(_ act: @escaping () throws -> Void) { self.act = act }
}

extension Libtorch {
    /// Returns `forward(input)`, whose derivative is `backward`.
    static func custom(
        _ input: TensorHandle, forward: @escaping (Tensor) throws -> Tensor,
        backward: @escaping (Tensor) throws -> Tensor
    ) throws(TorchError) -> TensorHandle {
        let context = Unmanaged.passRetained(CustomFunction(forward, backward)).toOpaque()
        var result: ct_tensor?
        try input.withRaw { (input) throws(TorchError) in
            try check(
                ct_custom(
                    input,
                    { call($0, $1, $2, \.forward) }, { call($0, $1, $2, \.backward) },
                    { context in
                        guard let context else { return }
                        Unmanaged<CustomFunction>.fromOpaque(context).release()
                    }, context, &result))
        }
        guard let result else { throw .libtorch("function: libtorch returned no tensor") }
        return TensorHandle(owning: result)
    }

    /// Calls `act` in every backward pass once the gradient of a leaf is complete, on the thread
    /// that computed it; nil for no action.
    static func onGradient(
        of leaf: TensorHandle, _ act: (() throws -> Void)?
    ) throws(TorchError) {
        let context = act.map { Unmanaged.passRetained(GradientAction($0)).toOpaque() }
        try leaf.withRaw { (leaf) throws(TorchError) in
            guard let context else { return try check(ct_tensor_on_gradient(leaf, nil, nil, nil)) }
            try check(
                ct_tensor_on_gradient(
                    leaf,
                    { context in
                        guard let context else { return nil }
                        let action = Unmanaged<GradientAction>.fromOpaque(context)
                            .takeUnretainedValue()
                        do {
                            // This can be a thread of libtorch, which has no scope.
                            try recovering { try action.act() }
                            return nil
                        } catch {
                            return failure(error)
                        }
                    },
                    { context in
                        guard let context else { return }
                        Unmanaged<GradientAction>.fromOpaque(context).release()
                    }, context))
        }
    }
}

private func call(
    _ context: UnsafeMutableRawPointer?, _ raw: ct_tensor?,
    _ result: UnsafeMutablePointer<ct_tensor?>?,
    _ part: KeyPath<CustomFunction, (Tensor) throws -> Tensor>
) -> UnsafeMutablePointer<ct_failure>? {
    guard let context, let raw else {
        return ct_failure_create(CT_REFUSED, "libtorch passed no input")
    }
    ct_tensor_retain(raw)
    let input = Tensor(handle: TensorHandle(owning: raw))
    let function = Unmanaged<CustomFunction>.fromOpaque(context).takeUnretainedValue()
    do {
        try recovering { try function[keyPath: part](input) }.handle.withRaw { output in
            ct_tensor_retain(output)
            result?.pointee = output
        }
        return nil
    } catch {
        return failure(error)
    }
}
