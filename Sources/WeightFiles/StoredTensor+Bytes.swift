import Storage
import Torch
extension StoredTensor {
    /// Calls `body` with the bytes of the elements in row-major order.
    ///
    /// The bytes are those of the file if the tensor is contiguous, otherwise those of a copy. They
    /// are valid only during the call.
    ///
    /// - Complexity: O(1) if the tensor is contiguous, otherwise O(n) for n elements.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        guard isContiguous else { return try contiguous().withUnsafeBytes(body) }
        return try storage.withUnsafeBytes { bytes in
            try body(UnsafeRawBufferPointer(rebasing: bytes[byteOffset..<byteOffset + byteCount]))
        }
    }

    /// Returns this tensor if it is contiguous, otherwise a contiguous copy.
    ///
    /// - Complexity: O(1) if the tensor is contiguous, otherwise O(n) for n elements.
    public func contiguous() -> StoredTensor {
        if isContiguous { return self }
        let size = dtype.byteCount
        let dense = TensorStorage(byteCount: byteCount) { memory in
            storage.withUnsafeBytes { bytes in
                var index = [Int](repeating: 0, count: shape.count)
                var source = byteOffset
                for target in 0..<elementCount {
                    for byte in 0..<size { memory[target * size + byte] = bytes[source + byte] }
                    advance(&index, &source)
                }
            }
        }
        return StoredTensor(dense: dense, like: self)
    }

    /// Moves to the next element in row-major order.
    private func advance(_ index: inout [Int], _ source: inout Int) {
        for dimension in shape.indices.reversed() {
            index[dimension] += 1
            source += strides[dimension] * dtype.byteCount
            if index[dimension] < shape[dimension] { return }
            source -= shape[dimension] * strides[dimension] * dtype.byteCount
            index[dimension] = 0
        }
    }

    /// Returns whether two tensors have the same type, shape and bit patterns.
    ///
    /// - Complexity: O(n) for n elements; O(1) if both are the same view of the same storage.
    public func isIdentical(to other: StoredTensor) -> Bool {
        guard dtype == other.dtype, shape == other.shape else { return false }
        if storage === other.storage, byteOffset == other.byteOffset, strides == other.strides {
            return true
        }
        return withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                guard let left = mine.baseAddress, let right = theirs.baseAddress else {
                    return mine.count == theirs.count
                }
                return mine.count == theirs.count && memcmp(left, right, mine.count) == 0
            }
        }
    }
}
