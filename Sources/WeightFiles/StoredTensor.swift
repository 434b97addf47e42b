public import Torch

/// A tensor as it lies in a file: what its elements are, and where.
///
/// Holds no copy of the data. Several tensors may be views of one ``TensorStorage``, and the
/// elements need not be contiguous.
public struct StoredTensor: Sendable {
    /// Type of the elements, which lie in the machine's own byte order.
    public let dtype: DType
    /// Length along each dimension; empty for a scalar.
    public let shape: [Int]
    /// Distance in elements between neighbours along each dimension; never negative.
    public let strides: [Int]
    /// The bytes that the tensor is a view of, to be kept alive while the data is used.
    public let storage: TensorStorage
    /// Where the first element starts in ``storage``, in bytes; a multiple of the element's size.
    public let byteOffset: Int
    /// Number of elements: the product of ``shape``.
    public let elementCount: Int

    /// Why a description does not make a tensor.
    package enum Fault: Error {
        case negative
        case rank
        case overflow
        case outside(needed: Int, available: Int)
    }

    /// Describes a view of a storage; contiguous (row-major) unless strides are given.
    ///
    /// - Throws: ``Fault`` if any element would lie outside the storage.
    package init(
        dtype: DType, shape: [Int], strides: [Int]? = nil, storage: TensorStorage,
        byteOffset: Int = 0
    ) throws(Fault) {
        guard let elementCount = StoredTensor.elementCount(of: shape),
            let rowMajor = StoredTensor.rowMajorStrides(of: shape)
        else { throw .overflow }
        let strides = strides ?? rowMajor
        guard strides.count == shape.count else { throw .rank }
        guard byteOffset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
        else { throw .negative }
        let size = dtype.byteCount
        // Broadcast views may hold more elements than their storage, but not without limit:
        // whoever makes them dense would be made to allocate at will.
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

    /// Makes a tensor of its own memory from values, which are written row by row.
    ///
    /// - Precondition: `values` holds exactly as many bytes as `shape` and `dtype` ask for.
    public init(dtype: DType, shape: [Int], bytes: some Collection<UInt8>) {
        let storage = TensorStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
        let expected = StoredTensor.elementCount(of: shape).map { $0 * dtype.byteCount }
        precondition(expected == bytes.count, "\(bytes.count) bytes do not fill \(shape)")
        self.dtype = dtype
        self.shape = shape
        self.strides = StoredTensor.rowMajorStrides(of: shape) ?? []
        self.storage = storage
        self.byteOffset = 0
        self.elementCount = bytes.count / dtype.byteCount
    }

    /// Bytes of all elements when they lie one after another.
    public var byteCount: Int { elementCount * dtype.byteCount }

    /// Whether the elements lie one after another, row by row.
    public var isContiguous: Bool {
        if elementCount == 0 { return true }
        var expected = 1
        for (length, stride) in zip(shape, strides).reversed() where length != 1 {
            if stride != expected { return false }
            expected *= length
        }
        return true
    }

    /// Address of the first element, for code that shares the data without copying it.
    ///
    /// Valid while ``storage`` lives, aligned to the element's size, read-only.
    public var unsafeBaseAddress: UnsafeRawPointer { storage.unsafeBaseAddress + byteOffset }

    /// A contiguous tensor of the same type and shape over other bytes.
    init(dense storage: TensorStorage, like other: StoredTensor) {
        precondition(storage.byteCount == other.byteCount)
        dtype = other.dtype
        shape = other.shape
        strides = StoredTensor.rowMajorStrides(of: other.shape) ?? other.strides
        self.storage = storage
        byteOffset = 0
        elementCount = other.elementCount
    }

    package static func elementCount(of shape: [Int]) -> Int? {
        if shape.contains(0) { return shape.allSatisfy { $0 >= 0 } ? 0 : nil }
        var product = 1
        for length in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: length)
            if overflow || length < 0 { return nil }
            product = next
        }
        // Leaves room for the product with any element size.
        return product <= Int.max / 16 ? product : nil
    }

    package static func rowMajorStrides(of shape: [Int]) -> [Int]? {
        var strides = [Int](repeating: 1, count: shape.count)
        var next = 1
        for dimension in shape.indices.reversed() {
            strides[dimension] = next
            let (product, overflow) = next.multipliedReportingOverflow(by: max(shape[dimension], 1))
            if overflow { return nil }
            next = product
        }
        return strides
    }
}
