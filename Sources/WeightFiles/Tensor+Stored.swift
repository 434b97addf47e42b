public import Torch

extension Tensor {
    /// Creates a tensor over the bytes of a stored tensor, without copying them.
    ///
    /// - Throws: `TorchError` if libtorch refuses the shape or the strides.
    public init(_ stored: StoredTensor) throws(TorchError) {
        try self.init(
            memory: stored.unsafeBaseAddress, shape: stored.shape, strides: stored.strides,
            dtype: stored.dtype, owner: stored.storage)
    }

    /// Returns an entry that writes the tensor to a safetensors file.
    public func entry(named name: String) -> SafetensorsWriter.Entry {
        let plain = detached().to(.cpu).contiguous()
        return SafetensorsWriter.Entry(name: name, dtype: plain.dtype, shape: plain.shape) {
            try TorchError.throwPending()
            try plain.withUnsafeBytes($0)
        }
    }
}
