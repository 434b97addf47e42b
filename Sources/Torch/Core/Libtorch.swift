import CTorch

// Only this file and `Libtorch+Groups.swift` touch the handles of CTorch. Swift may release an object
// right after its last use, and reading its raw handle can be that use. So every call there runs
// inside `withExtendedLifetime` of the objects whose handles it passes.

/// The owner of one reference to a libtorch tensor.
///
/// It is safe to share because libtorch counts references atomically and only this module changes a
/// tensor that two owners share.
final class TensorHandle: @unchecked Sendable {
    fileprivate let raw: ct_tensor

    init(owning raw: ct_tensor) { self.raw = raw }

    deinit { ct_tensor_release(raw) }

    /// Calls `body` with the raw handle, which is valid only during the call.
    func withRaw<Result, Failure: Error>(
        _ body: (ct_tensor) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in try body(raw) }
    }
}

/// The owner of one reference to a libtorch random number generator.
final class GeneratorHandle: @unchecked Sendable {
    fileprivate let raw: ct_generator

    init(device: Device, seed: UInt64) throws(TorchError) {
        var result: ct_generator?
        try check(ct_generator_create(device.kind.rawValue, Int64(device.index), seed, &result))
        guard let result else { throw .libtorch("generator: libtorch returned no generator") }
        raw = result
    }

    deinit { ct_generator_release(raw) }
}

/// Throws a failure of CTorch as an error, and frees it.
func check(_ failure: UnsafeMutablePointer<ct_failure>?) throws(TorchError) {
    guard let failure else { return }
    defer { ct_failure_free(failure) }
    let text = String(cString: failure.pointee.text)
    switch failure.pointee.reason {
    case CT_OUT_OF_MEMORY: throw .outOfMemory(text)
    case CT_DEVICE_FAILED: throw .deviceFailure(text)
    default: throw .libtorch(text)
    }
}

/// Converts an error into a failure of CTorch.
func failure(_ error: any Error) -> UnsafeMutablePointer<ct_failure>? {
    let error = error as? TorchError ?? .libtorch("\(error)")
    let reason =
        error.isOutOfMemory
        ? CT_OUT_OF_MEMORY : error.isDeviceFailure ? CT_DEVICE_FAILED : CT_REFUSED
    return ct_failure_create(reason, error.description)
}

/// The function of one checkpointed part of a model.
private final class CheckpointBody {
    let function: (Tensor) -> Tensor

    init(_ function: @escaping (Tensor) -> Tensor) { self.function = function }
}

/// The functions of libtorch other than operators.
enum Libtorch {
    static func deviceCount(_ kind: Device.Kind) -> Int { Int(ct_device_count(kind.rawValue)) }

    static func synchronize(_ device: Device) throws(TorchError) {
        try check(ct_device_synchronize(device.kind.rawValue, Int64(device.index)))
    }

    static func shareProcessors() { ct_share_processors() }
    static func keepFreedMemory() { ct_keep_freed_memory() }
    static func returnFreedMemory() { ct_return_freed_memory() }

    static var version: String { String(cString: ct_version()) }

    static var multipliesBFloat16: Bool { ct_multiplies_bfloat16() }

    static var multipliesInt8: Bool { ct_multiplies_int8() }

    static func roundRows(
        _ numbers: TensorHandle, into integers: TensorHandle, steps: TensorHandle
    ) {
        withExtendedLifetime((numbers, integers, steps)) {
            ct_round_rows(numbers.raw, integers.raw, steps.raw)
        }
    }

    static var threadCount: Int {
        get { Int(ct_thread_count()) }
        set {
            trapping { () throws(TorchError) in try check(ct_set_thread_count(Int64(newValue))) }
        }
    }

    /// The innermost scope of this thread; the function that entered it keeps it alive.
    static var scope: RecoveryScope? { scope(ct_scope_current()) }

    /// Sets the innermost scope of this thread and returns the previous one.
    static func exchangeScope(_ scope: RecoveryScope?) -> RecoveryScope? {
        self.scope(ct_scope_exchange(scope.map { Unmanaged.passUnretained($0).toOpaque() }))
    }

    private static func scope(_ pointer: UnsafeMutableRawPointer?) -> RecoveryScope? {
        pointer.map { Unmanaged<RecoveryScope>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Sets whether this thread records gradients and returns the previous setting.
    static func exchangeGradMode(_ enabled: Bool) -> Bool { ct_grad_mode_exchange(enabled) }

    /// Sets this thread's autocast type and returns the previous one; nil turns autocast off.
    static func exchangeAutocast(_ kind: Device.Kind, _ dtype: DType?) -> DType? {
        var before: Int32 = -1
        trapping { () throws(TorchError) in
            try check(
                ct_autocast_exchange(
                    kind.rawValue, dtype.map { Int32($0.rawValue) } ?? -1, &before))
        }
        return Int8(exactly: before).flatMap(DType.init(rawValue:))
    }

    /// Runs `body` now and again in the backward pass, instead of keeping its intermediate results.
    static func checkpoint(
        _ input: TensorHandle, _ body: @escaping (Tensor) -> Tensor
    ) throws(TorchError) -> TensorHandle {
        let context = Unmanaged.passRetained(CheckpointBody(body)).toOpaque()
        var result: ct_tensor?
        try withExtendedLifetime(input) { () throws(TorchError) in
            try check(
                ct_checkpoint(
                    input.raw,
                    { context, raw, result in
                        guard let context, let raw else {
                            return ct_failure_create(CT_REFUSED, "libtorch passed no input")
                        }
                        ct_tensor_retain(raw)
                        let input = Tensor(handle: TensorHandle(owning: raw))
                        let body = Unmanaged<CheckpointBody>.fromOpaque(context)
                            .takeUnretainedValue()
                        do {
                            // libtorch may compute gradients on a thread of its own, which has no
                            // scope.
                            let output = try recovering { body.function(input) }.handle
                            withExtendedLifetime(output) {
                                ct_tensor_retain(output.raw)
                                result?.pointee = output.raw
                            }
                            return nil
                        } catch {
                            return failure(error)
                        }
                    },
                    { context in
                        guard let context else { return }
                        Unmanaged<CheckpointBody>.fromOpaque(context).release()
                    }, context, &result))
        }
        guard let result else { throw .libtorch("checkpoint: libtorch returned no tensor") }
        return TensorHandle(owning: result)
    }

    /// Wraps memory without copying it.
    ///
    /// The tensor keeps `owner` alive, and `owner` keeps the memory valid.
    static func tensor(
        memory: UnsafeMutableRawPointer, shape: [Int], strides: [Int], dtype: DType,
        owner: AnyObject
    ) throws(TorchError) -> TensorHandle {
        let context = Unmanaged.passRetained(owner).toOpaque()
        var result: ct_tensor?
        try check(
            ct_tensor_from_memory(
                memory, shape.map(Int64.init), strides.map(Int64.init), shape.count,
                dtype.rawValue,
                { context in
                    guard let context else { return }
                    Unmanaged<AnyObject>.fromOpaque(context).release()
                }, context, &result))
        guard let result else { throw .libtorch("from_memory: libtorch returned no tensor") }
        return TensorHandle(owning: result)
    }

    static func backward(_ outputs: [TensorHandle]) throws(TorchError) {
        try TorchError.throwPending()
        try withExtendedLifetime(outputs) { () throws(TorchError) in
            try check(ct_backward(outputs.map { $0.raw }, outputs.count))
        }
    }

    static func gradients(
        of outputs: [TensorHandle], withRespectTo inputs: [TensorHandle], retainGraph: Bool
    ) throws(TorchError) -> [TensorHandle?] {
        try TorchError.throwPending()
        var results = [ct_tensor?](repeating: nil, count: inputs.count)
        try withExtendedLifetime((outputs, inputs)) { () throws(TorchError) in
            try check(
                ct_gradients(
                    outputs.map { $0.raw }, outputs.count, inputs.map { $0.raw }, inputs.count,
                    retainGraph, false, &results))
        }
        return results.map { $0.map(TensorHandle.init(owning:)) }
    }
}

extension TensorHandle {
    var shape: [Int] {
        withExtendedLifetime(self) {
            let count = Int(ct_tensor_rank(raw))
            guard count > 0 else { return [] }
            return UnsafeBufferPointer(start: ct_tensor_shape(raw), count: count).map { Int($0) }
        }
    }

    var strides: [Int] {
        withExtendedLifetime(self) {
            let count = Int(ct_tensor_rank(raw))
            guard count > 0 else { return [] }
            return UnsafeBufferPointer(start: ct_tensor_strides(raw), count: count).map { Int($0) }
        }
    }

    var rank: Int { withExtendedLifetime(self) { Int(ct_tensor_rank(raw)) } }

    var rawDType: Int8 { withExtendedLifetime(self) { ct_tensor_dtype(raw) } }

    var device: Device {
        withExtendedLifetime(self) {
            // A tensor without elements can stand for a tensor on any device.
            if ct_tensor_is_shadow(raw) { return .cpu }
            var kind: Int32 = 0
            var index: Int64 = 0
            ct_tensor_device(raw, &kind, &index)
            guard let known = Device.Kind(rawValue: kind) else {
                preconditionFailure("the tensor is on a device of the unsupported type \(kind)")
            }
            return Device(kind: known, index: max(0, Int(index)))
        }
    }

    /// Whether the tensor has a shape but no elements.
    var isShadow: Bool { withExtendedLifetime(self) { ct_tensor_is_shadow(raw) } }

    var isContiguous: Bool { withExtendedLifetime(self) { ct_tensor_is_contiguous(raw) } }

    /// Whether another tensor, in Swift or in libtorch, shares the elements.
    var isShared: Bool {
        withExtendedLifetime(self) {
            ct_tensor_use_count(raw) > 1 || ct_tensor_storage_use_count(raw) > 1
        }
    }

    /// Calls `body` with the address of the first element, or nil if there are no elements.
    ///
    /// The address is valid only during the call.
    func withData<Result, Failure: Error>(
        _ body: (UnsafeMutableRawPointer?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in try body(ct_tensor_data(raw)) }
    }

    var requiresGrad: Bool { withExtendedLifetime(self) { ct_tensor_requires_grad(raw) } }

    func setRequiresGrad(_ value: Bool) throws(TorchError) {
        try withExtendedLifetime(self) { () throws(TorchError) in
            try check(ct_tensor_set_requires_grad(raw, value))
        }
    }

    func grad() throws(TorchError) -> TensorHandle? {
        var result: ct_tensor?
        try withExtendedLifetime(self) { () throws(TorchError) in
            try check(ct_tensor_grad(raw, &result))
        }
        return result.map(TensorHandle.init(owning:))
    }

    func setGrad(_ gradient: TensorHandle?) throws(TorchError) {
        try withExtendedLifetime((self, gradient)) { () throws(TorchError) in
            try check(ct_tensor_set_grad(raw, gradient?.raw))
        }
    }
}

extension GeneratorHandle {
    func state() throws(TorchError) -> TensorHandle {
        try TorchError.throwPending()
        var result: ct_tensor?
        try withExtendedLifetime(self) { () throws(TorchError) in
            try check(ct_generator_state(raw, &result))
        }
        guard let result else { throw .libtorch("generator: libtorch returned no state") }
        return TensorHandle(owning: result)
    }

    func setState(_ state: TensorHandle) throws(TorchError) {
        try TorchError.throwPending()
        try withExtendedLifetime((self, state)) { () throws(TorchError) in
            try check(ct_generator_set_state(raw, state.raw))
        }
    }
}

extension Operator {
    /// Calls the operator.
    ///
    /// - Parameters:
    ///   - arguments: the arguments in the order of the operator's schema. Missing trailing
    ///     arguments have the defaults of the schema.
    ///   - room: the largest number of results; 4 by default.
    /// - Returns: the results; a list of tensors becomes one result per tensor.
    /// - Throws: ``TorchError`` with libtorch's text, the operator's name and the shapes. After a
    ///   failure in ``recovering(_:)``, that failure.
    public func call(_ arguments: [Argument], room: Int = 4) throws(TorchError) -> [Output] {
        try RecoveryScope.current?.admit()
        return try run(arguments, room: room, ct_operator_call)
    }

    /// Returns tensors that have the shapes of the operator's results but no elements.
    func shadows(_ arguments: [Argument], room: Int) throws(TorchError) -> [Output] {
        try run(arguments, room: room, ct_operator_shadow)
    }

    private typealias Run = (
        ct_operator?, UnsafePointer<ct_value>?, Int, UnsafeMutablePointer<ct_value>?,
        UnsafeMutablePointer<Int>?
    ) -> UnsafeMutablePointer<ct_failure>?

    private func run(
        _ arguments: [Argument], room: Int, _ run: Run
    ) throws(TorchError) -> [Output] {
        // Copies of lists and strings, which live until the call returns.
        var scratch: [UnsafeMutableRawPointer] = []
        defer { for pointer in scratch { pointer.deallocate() } }
        func copied<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
            let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
            pointer.initialize(from: elements, count: elements.count)
            scratch.append(UnsafeMutableRawPointer(pointer))
            return UnsafePointer(pointer)
        }

        var values = [ct_value](repeating: ct_value(), count: arguments.count)
        for (position, argument) in arguments.enumerated() {
            withUnsafeMutablePointer(to: &values[position]) { value in
                switch argument {
                case .none:
                    value.pointee.kind = CT_NONE
                case .tensor(let tensor):
                    value.pointee.kind = CT_TENSOR
                    value.pointee.tensor = tensor.handle.raw
                case .int(let integer):
                    value.pointee.kind = CT_INTEGER
                    value.pointee.integer = Int64(integer)
                case .double(let real):
                    value.pointee.kind = CT_REAL
                    value.pointee.real = real
                case .bool(let flag):
                    value.pointee.kind = CT_BOOL
                    value.pointee.integer = flag ? 1 : 0
                case .ints(let integers):
                    value.pointee.kind = CT_INTEGERS
                    value.pointee.count = Int64(integers.count)
                    value.pointee.integers = copied(integers.map(Int64.init))
                case .doubles(let reals):
                    value.pointee.kind = CT_REALS
                    value.pointee.count = Int64(reals.count)
                    value.pointee.reals = copied(reals)
                case .tensors(let tensors):
                    value.pointee.kind = CT_TENSORS
                    value.pointee.count = Int64(tensors.count)
                    value.pointee.tensors = copied(tensors.map { $0.handle.raw })
                case .optionalTensors(let tensors):
                    value.pointee.kind = CT_OPTIONAL_TENSORS
                    value.pointee.count = Int64(tensors.count)
                    value.pointee.tensors = copied(tensors.map { $0?.handle.raw })
                case .dtype(let dtype):
                    value.pointee.kind = CT_DTYPE
                    value.pointee.integer = Int64(dtype.rawValue)
                case .device(let device):
                    value.pointee.kind = CT_DEVICE
                    value.pointee.device_type = device.kind.rawValue
                    value.pointee.count = device.kind == .cpu ? -1 : Int64(device.index)
                case .string(let string):
                    let bytes = Array(string.utf8.map { CChar(bitPattern: $0) })
                    value.pointee.kind = CT_STRING
                    value.pointee.count = Int64(bytes.count)
                    value.pointee.string = copied(bytes)
                case .generator(let generator):
                    value.pointee.kind = CT_GENERATOR
                    value.pointee.generator = generator.handle.raw
                }
            }
        }

        var results = [ct_value](repeating: ct_value(), count: room)
        var count = room
        try withExtendedLifetime(arguments) { () throws(TorchError) in
            try check(run(raw, values, values.count, &results, &count))
        }
        return results[..<count].map { result in
            switch result.kind {
            case CT_TENSOR: .tensor(Tensor(handle: TensorHandle(owning: result.tensor)))
            case CT_INTEGER: .int(Int(result.integer))
            case CT_REAL: .double(result.real)
            case CT_BOOL: .bool(result.integer != 0)
            default: .none
            }
        }
    }
}

/// An operator of libtorch's dispatcher, which is looked up once by its name.
///
/// ```swift
/// let sort = try Operator("aten::sort", overload: "")
/// let results = try sort.call([.tensor(scores), .int(-1), .bool(true)])
/// ```
public struct Operator: @unchecked Sendable {
    private let raw: ct_operator

    /// Looks up an operator such as `("aten::add", "Tensor")`.
    ///
    /// - Parameters:
    ///   - name: the name with its namespace.
    ///   - overload: the name of the overload; empty by default.
    /// - Throws: ``TorchError`` if this libtorch has no such operator.
    public init(_ name: String, overload: String = "") throws(TorchError) {
        var result: ct_operator?
        try check(ct_operator_find(name, overload, &result))
        guard let result else { throw .libtorch("\(name): libtorch returned no operator") }
        raw = result
    }
}
