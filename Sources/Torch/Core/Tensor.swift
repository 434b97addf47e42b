/// An n-dimensional array of numbers on a device.
///
/// A tensor is a value: operators return new tensors, and changing one through a subscript never
/// changes another, even if libtorch shares memory between them. If shapes or types do not fit,
/// operators trap with libtorch's own text; ``Operator/call(_:room:)`` throws an error instead.
/// Operators also trap if memory runs out, unless they run in ``recovering(_:)``.
///
/// ```swift
/// let x = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
/// let sums = (x * 2).sum(1).values(as: Float.self)  // [6, 14]
/// ```
public struct Tensor: Sendable {
    var handle: TensorHandle

    init(handle: TensorHandle) { self.handle = handle }

    /// The size of each dimension; empty for a scalar.
    public var shape: [Int] { handle.shape }
    /// The distance between neighbours along each dimension, in elements.
    public var strides: [Int] { handle.strides }
    /// The number of dimensions.
    public var rank: Int { handle.rank }
    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The device that stores the elements.
    public var device: Device { handle.device }
    /// Whether memory holds the elements in row-major order without gaps.
    public var isContiguous: Bool { handle.isContiguous }

    /// The type of the elements.
    public var dtype: DType {
        guard let known = DType(rawValue: handle.rawDType) else {
            preconditionFailure("the tensor has the unsupported scalar type \(handle.rawDType)")
        }
        return known
    }

    /// Returns the size of a dimension; negative dimensions count from the end.
    public func size(_ dimension: Int) -> Int {
        let shape = shape
        return shape[dimension < 0 ? dimension + shape.count : dimension]
    }
}

/// A Swift type whose arrays can be converted to tensors and back.
public protocol TensorScalar: Sendable {
    /// The type of tensor elements with the same memory layout.
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

/// The owner of the memory of a tensor that was created from a Swift array.
private final class ArrayOwner<Element: Sendable>: Sendable {
    nonisolated(unsafe) let buffer: UnsafeMutableBufferPointer<Element>

    init(_ elements: [Element]) {
        buffer = .allocate(capacity: max(1, elements.count))
        _ = buffer.initialize(from: elements)
    }

    init(filling body: (UnsafeMutableBufferPointer<Element>) throws -> Void, count: Int) rethrows {
        buffer = .allocate(capacity: max(1, count))
        // If `body` throws, `deinit` frees the buffer, because every property is set.
        try body(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
    }

    deinit { buffer.deallocate() }
}

extension Tensor {
    /// Creates a tensor of the given shape from elements in row-major order.
    ///
    /// - Parameters:
    ///   - elements: the elements, which are copied.
    ///   - shape: the size of each dimension.
    ///   - device: the device of the tensor; the CPU by default.
    /// - Precondition: `elements` has as many elements as `shape`.
    /// - Complexity: O(n) for n elements.
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

    /// Creates a `float32` tensor whose elements `body` writes, in row-major order.
    ///
    /// - Parameter body: a closure that must write every element of its buffer.
    public init(
        shape: [Int],
        fillingFloats body: (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) rethrows {
        let owner = try ArrayOwner<Float>(filling: body, count: shape.reduce(1, *))
        self.init(memory: UnsafeMutableRawPointer(owner.buffer.baseAddress), shape, .float32, owner)
    }

    /// Creates a tensor whose bytes `body` writes, in row-major order.
    ///
    /// - Parameter body: a closure that must write every byte of its buffer.
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
        guard let memory else { fatalError("the tensor's buffer has no address") }
        guard let strides = Self.rowMajorStrides(of: shape) else {
            fatalError("the strides of the shape \(shape) overflow")
        }
        do {
            handle = try Libtorch.tensor(
                memory: memory, shape: shape, strides: strides, dtype: dtype, owner: owner)
        } catch {
            fatalError("\(error)")
        }
    }

    /// Wraps memory without copying it; the tensor keeps `owner` alive.
    ///
    /// Only operators that work in place write to the memory.
    ///
    /// - Throws: ``TorchError`` if libtorch refuses the shape or the strides.
    package init(
        memory: UnsafeRawPointer, shape: [Int], strides: [Int], dtype: DType, owner: AnyObject
    ) throws(TorchError) {
        handle = try Libtorch.tensor(
            memory: UnsafeMutableRawPointer(mutating: memory), shape: shape, strides: strides,
            dtype: dtype, owner: owner)
    }

    /// Returns the strides of row-major order, in elements; nil if they overflow.
    package static func rowMajorStrides(of shape: [Int]) -> [Int]? {
        var strides = [Int](repeating: 1, count: shape.count)
        var next = 1
        for dimension in shape.indices.reversed() {
            strides[dimension] = next
            let length = Swift.max(shape[dimension], 1)
            let (product, overflow) = next.multipliedReportingOverflow(by: length)
            if overflow { return nil }
            next = product
        }
        return strides
    }

    /// Returns the elements in row-major order, converted to `type` if they have another type.
    ///
    /// After a failure in ``recovering(_:)``, all elements are zero.
    ///
    /// - Complexity: O(n) for n elements. Waits for the device.
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

    /// Whether this tensor has a shape but no elements, because an operator has failed.
    private var isShadow: Bool {
        guard handle.isShadow else { return false }
        precondition(
            TorchError.isPending,
            "a tensor without elements was used outside the recovering(_:) that created it")
        return true
    }

    /// Calls `body` with the bytes of the elements in row-major order.
    ///
    /// The bytes are valid only during the call. After a failure in ``recovering(_:)``, they are
    /// zero.
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

    /// Returns the element of a tensor that has exactly one.
    ///
    /// - Precondition: ``count`` is 1.
    public func scalar() -> Double {
        precondition(count == 1, "scalar() needs exactly one element, but the shape is \(shape)")
        return values(as: Double.self)[0]
    }
}
