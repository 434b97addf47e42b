/// An n-dimensional array of numbers on a device.
///
/// A tensor is a value: operators return new tensors, and changing one through a subscript never
/// changes another, even where libtorch shares memory between them. Operators trap when shapes or
/// types do not fit, with libtorch's own text; use ``Operator/call(_:room:)`` to have an error
/// thrown instead. They trap as well where there is not enough memory, unless they run in
/// ``recovering(_:)``.
public struct Tensor: Sendable {
    var handle: TensorHandle

    init(handle: TensorHandle) { self.handle = handle }

    /// Size of each dimension; empty for a scalar.
    public var shape: [Int] { handle.shape }
    /// Distance between neighbours along each dimension, in elements.
    public var strides: [Int] { handle.strides }
    /// Number of dimensions.
    public var rank: Int { handle.rank }
    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// Where the elements are.
    public var device: Device { handle.device }
    /// Whether the elements lie in memory in row-major order without gaps.
    public var isContiguous: Bool { handle.isContiguous }

    /// Type of the elements.
    public var dtype: DType {
        guard let known = DType(rawValue: handle.rawDType) else {
            preconditionFailure("a tensor of the unsupported scalar type \(handle.rawDType)")
        }
        return known
    }

    /// Size of one dimension; negative dimensions count from the end.
    public func size(_ dimension: Int) -> Int {
        let shape = shape
        return shape[dimension < 0 ? dimension + shape.count : dimension]
    }
}

/// A Swift number that tensors are made from and read into.
public protocol TensorScalar: Sendable {
    /// The type of elements of the same layout.
    static var dtype: DType { get }
}

extension Float: TensorScalar {
    /// Single precision.
    public static var dtype: DType { .float32 }
}
extension Double: TensorScalar {
    /// Double precision.
    public static var dtype: DType { .float64 }
}
extension UInt8: TensorScalar {
    /// 8-bit unsigned integers.
    public static var dtype: DType { .uint8 }
}
extension Int32: TensorScalar {
    /// 32-bit integers.
    public static var dtype: DType { .int32 }
}
extension Int64: TensorScalar {
    /// 64-bit integers.
    public static var dtype: DType { .int64 }
}
extension Int: TensorScalar {
    /// 64-bit integers.
    public static var dtype: DType { .int64 }
}
extension Bool: TensorScalar {
    /// Bytes that are 0 or 1.
    public static var dtype: DType { .bool }
}

/// Keeps the elements of a Swift array alive for a tensor over them.
private final class ArrayOwner<Element: Sendable>: Sendable {
    nonisolated(unsafe) let buffer: UnsafeMutableBufferPointer<Element>

    init(_ elements: [Element]) {
        buffer = .allocate(capacity: max(1, elements.count))
        _ = buffer.initialize(from: elements)
    }

    init(filling body: (UnsafeMutableBufferPointer<Element>) throws -> Void, count: Int) rethrows {
        buffer = .allocate(capacity: max(1, count))
        // An error runs `deinit`, for the owner is complete by now.
        try body(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
    }

    deinit { buffer.deallocate() }
}

extension Tensor {
    /// Creates a tensor of the given shape from its elements in row-major order.
    public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: [Int], device: Device = .cpu) {
        precondition(
            elements.count == shape.reduce(1, *),
            "\(elements.count) elements do not fill the shape \(shape)")
        let owner = ArrayOwner(elements)
        self.init(
            memory: UnsafeMutableRawPointer(owner.buffer.baseAddress), shape, Scalar.dtype, owner)
        if device != .cpu { self = to(device) }
    }

    /// Creates a one-dimensional tensor.
    public init<Scalar: TensorScalar>(_ elements: [Scalar], device: Device = .cpu) {
        self.init(elements, shape: [elements.count], device: device)
    }

    /// Creates a tensor whose `[shape]` elements `body` writes, all of them, in row-major order.
    public init(
        shape: [Int],
        fillingFloats body: (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) rethrows {
        let owner = try ArrayOwner<Float>(filling: body, count: shape.reduce(1, *))
        self.init(memory: UnsafeMutableRawPointer(owner.buffer.baseAddress), shape, .float32, owner)
    }

    /// Creates a tensor whose bytes `body` writes, all of them, in row-major order.
    package init(
        shape: [Int], dtype: DType,
        fillingBytes body: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let owner = try ArrayOwner<UInt64>(
            filling: { words in
                let bytes = UnsafeMutableRawBufferPointer(words)
                try body(.init(rebasing: bytes[..<(shape.reduce(1, *) * dtype.byteCount)]))
            }, count: (shape.reduce(1, *) * dtype.byteCount + 7) / 8)
        self.init(memory: UnsafeMutableRawPointer(owner.buffer.baseAddress), shape, dtype, owner)
    }

    private init(
        memory: UnsafeMutableRawPointer?, _ shape: [Int], _ dtype: DType, _ owner: AnyObject
    ) {
        guard let memory else { fatalError("a tensor over no memory") }
        do {
            handle = try Libtorch.tensor(
                memory: memory, shape: shape, strides: Self.rowMajorStrides(shape), dtype: dtype,
                owner: owner)
        } catch {
            fatalError("\(error)")
        }
    }

    /// Wraps memory without copying it; `owner` is kept alive until the last use of the tensor.
    ///
    /// The memory is never written through the tensor unless the caller asks libtorch to by an
    /// operator that works in place.
    ///
    /// - Throws: ``TorchError`` if libtorch refuses the shape or the strides.
    package init(
        memory: UnsafeRawPointer, shape: [Int], strides: [Int], dtype: DType, owner: AnyObject
    ) throws(TorchError) {
        handle = try Libtorch.tensor(
            memory: UnsafeMutableRawPointer(mutating: memory), shape: shape, strides: strides,
            dtype: dtype, owner: owner)
    }

    static func rowMajorStrides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for dimension in shape.indices.reversed().dropFirst() {
            strides[dimension] = strides[dimension + 1] * Swift.max(1, shape[dimension + 1])
        }
        return strides
    }

    /// The elements in row-major order, converted to `type` where they are of another.
    ///
    /// Zeros in a ``recovering(_:)`` that has failed.
    public func values<Scalar: TensorScalar>(as type: Scalar.Type = Scalar.self) -> [Scalar] {
        let plain = detached().to(.cpu).to(Scalar.dtype).contiguous()
        let count = plain.count
        if plain.isShadow {
            return [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
                UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
                initialized = count
            }
        }
        return plain.handle.withData { data in
            guard count > 0, let data else { return [] }
            let start = data.assumingMemoryBound(to: Scalar.self)
            return Array(UnsafeBufferPointer(start: start, count: count))
        }
    }

    /// Whether this has a shape and no elements, as after a failure that a scope has yet to throw.
    private var isShadow: Bool {
        guard handle.isShadow else { return false }
        precondition(
            TorchError.isPending, "a tensor that was made after a failure is used outside its scope"
        )
        return true
    }

    /// Runs `body` on the bytes of the elements in row-major order.
    ///
    /// Zeros in a ``recovering(_:)`` that has failed.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let plain = detached().to(.cpu).contiguous()
        let byteCount = plain.count * plain.dtype.byteCount
        if plain.isShadow {
            return try [UInt8](repeating: 0, count: byteCount).withUnsafeBytes(body)
        }
        return try plain.handle.withData { data in
            try body(UnsafeRawBufferPointer(start: data, count: byteCount))
        }
    }

    /// The only element of a tensor that has one.
    public func scalar() -> Double {
        precondition(count == 1, "a scalar was asked of a tensor of shape \(shape)")
        return values(as: Double.self)[0]
    }
}
