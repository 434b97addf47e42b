/// A random number generator with its own state.
///
/// Every random function of this project has a generator as an argument, so that a seed fixes the
/// result.
public struct Generator: Sendable {
    let handle: GeneratorHandle
    /// The device whose operators can draw from the generator.
    public let device: Device

    /// Creates a generator.
    ///
    /// - Parameters:
    ///   - seed: the start of the sequence of numbers.
    ///   - device: the device whose operators draw from the generator; the CPU by default.
    /// - Throws: ``TorchError`` if the device is not available.
    public init(seed: UInt64, device: Device = .cpu) throws(TorchError) {
        guard device.isAvailable else { throw .unavailableDevice(device) }
        handle = try GeneratorHandle(device: device, seed: seed)
        self.device = device
    }

    /// Returns the whole state as a tensor of bytes, from which ``restore(_:)`` resumes.
    ///
    /// - Throws: ``TorchError`` if libtorch cannot read the state.
    public func state() throws(TorchError) -> Tensor { Tensor(handle: try handle.state()) }

    /// Resumes from a state that ``state()`` returned.
    ///
    /// - Throws: ``TorchError`` if the state is of another kind of generator.
    public func restore(_ state: Tensor) throws(TorchError) {
        try handle.setState(state.handle)
    }
}
