public import Torch

/// A tensor in a file: the type, shape and position of its elements.
///
/// It holds no copy of the data. Several tensors may be views of the same ``TensorStorage``, and
/// the elements need not be contiguous.
public struct StoredTensor: Sendable {
    /// The type of the elements, which have the machine's own byte order.
    public let dtype: DType
    /// The size of each dimension; empty for a scalar.
    public let shape: [Int]
    /// The distance between neighbours along each dimension, in elements; never negative.
    public let strides: [Int]
    /// The storage of which the tensor is a view; keep it alive while the data is used.
    public let storage: TensorStorage
    /// The offset of the first element in ``storage``, in bytes; a multiple of the element's size.
    public let byteOffset: Int
    /// The number of elements, which is the product of ``shape``.
    public let elementCount: Int

    /// The reason why a description is not a valid tensor.
    package enum Fault: Error {
        /// A size, a stride or the offset is negative.
        case negative
        /// The numbers of strides and of dimensions differ.
        case rank
        /// The tensor has more elements than its storage can hold.
        case overflow
        /// An element lies outside the storage; both numbers are in bytes.
        case outside(needed: Int, available: Int)
    }

    /// Creates a view of a storage.
    ///
    /// - Parameters:
    ///   - strides: the strides in elements; nil for row-major order without gaps.
    ///   - byteOffset: the position of the first element, in bytes; 0 by default.
    /// - Throws: ``Fault`` if the description is invalid or an element lies outside the storage.
    package init(
        dtype: DType, shape: [Int], strides: [Int]? = nil, storage: TensorStorage,
        byteOffset: Int = 0
    ) throws(Fault) {
        guard let elementCount = StoredTensor.elementCount(of: shape),
            let rowMajor = Tensor.rowMajorStrides(of: shape)
        else { throw .overflow }
        let strides = strides ?? rowMajor
        guard strides.count == shape.count else { throw .rank }
        guard byteOffset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
        else { throw .negative }
        let size = dtype.byteCount
        // A broadcast view may have more elements than its storage, but not without limit: a
        // hostile file could otherwise make a copy of the view exhaust the memory.
        guard elementCount <= max(storage.byteCount / size, 1 << 24) else { throw .overflow }
        var needed = 0
        if elementCount > 0 {
            var last = 0
            for (length, stride) in zip(shape, strides) {
                let (span, overflow) = (length - 1).multipliedReportingOverflow(by: stride)
                let (sum, sumOverflow) = last.addingReportingOverflow(span)
                guard !overflow, !sumOverflow else { throw .overflow }
                last = sum
            }
            guard last < Int.max / size - 1 else { throw .overflow }
            let (end, overflow) = ((last + 1) * size).addingReportingOverflow(byteOffset)
            guard !overflow else { throw .overflow }
            needed = end
        }
        guard needed <= storage.byteCount else {
            throw .outside(needed: needed, available: storage.byteCount)
        }
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.storage = storage
        self.byteOffset = elementCount > 0 ? byteOffset : 0
        self.elementCount = elementCount
    }

    /// Creates a tensor in its own memory from bytes in row-major order, which are copied.
    ///
    /// - Precondition: `bytes` has exactly the length that `shape` and `dtype` need.
    public init(dtype: DType, shape: [Int], bytes: some Collection<UInt8>) {
        let storage = TensorStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
        let expected = StoredTensor.elementCount(of: shape).map { $0 * dtype.byteCount }
        precondition(expected == bytes.count, "\(bytes.count) bytes do not fill \(shape)")
        self.dtype = dtype
        self.shape = shape
        self.strides = Tensor.rowMajorStrides(of: shape) ?? []
        self.storage = storage
        self.byteOffset = 0
        self.elementCount = bytes.count / dtype.byteCount
    }

    /// The length of all elements without gaps, in bytes.
    public var byteCount: Int { elementCount * dtype.byteCount }

    /// Whether the elements are in row-major order without gaps.
    public var isContiguous: Bool {
        if elementCount == 0 { return true }
        var expected = 1
        for (length, stride) in zip(shape, strides).reversed() where length != 1 {
            if stride != expected { return false }
            expected *= length
        }
        return true
    }

    /// The address of the first element, for code that shares the data without copying it.
    ///
    /// It is valid while ``storage`` is alive and aligned to the element's size. The bytes are
    /// read-only.
    public var unsafeBaseAddress: UnsafeRawPointer { storage.unsafeBaseAddress + byteOffset }

    /// Creates a contiguous tensor over other bytes, with the type and shape of `other`.
    init(dense storage: TensorStorage, like other: StoredTensor) {
        precondition(storage.byteCount == other.byteCount)
        dtype = other.dtype
        shape = other.shape
        strides = Tensor.rowMajorStrides(of: other.shape) ?? other.strides
        self.storage = storage
        byteOffset = 0
        elementCount = other.elementCount
    }

    /// Returns the number of elements of a shape; nil if a size is negative or the number of bytes
    /// could overflow.
    package static func elementCount(of shape: [Int]) -> Int? {
        if shape.contains(0) { return shape.allSatisfy { $0 >= 0 } ? 0 : nil }
        var product = 1
        for length in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: length)
            if overflow || length < 0 { return nil }
            product = next
        }
        // The product with any element size must fit as well.
        return product <= Int.max / 16 ? product : nil
    }
}
