/// A random number generator with a state of its own.
///
/// Everything random in this project takes one explicitly, so that a seed fixes a result.
public struct Generator: Sendable {
    let handle: GeneratorHandle
    /// The device whose operators can draw from it.
    public let device: Device

    /// Creates a generator.
    ///
    /// - Throws: ``TorchError`` if the device is not available.
    public init(seed: UInt64, device: Device = .cpu) throws(TorchError) {
        guard device.isAvailable else { throw .unavailableDevice(device) }
        handle = try GeneratorHandle(device: device, seed: seed)
        self.device = device
    }

    /// The whole state, as bytes; setting it continues the sequence from there.
    ///
    /// - Throws: ``TorchError`` if libtorch cannot give the state.
    public func state() throws(TorchError) -> Tensor { Tensor(handle: try handle.state()) }

    /// Continues from a state that ``state()`` gave.
    ///
    /// - Throws: ``TorchError`` if the state is not one of this kind of generator.
    public func restore(_ state: Tensor) throws(TorchError) {
        try handle.setState(state.handle)
    }
}
