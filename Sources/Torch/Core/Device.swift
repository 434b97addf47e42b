/// A processor or GPU that stores tensors and runs their operators.
public struct Device: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of device that this project runs on.
    public enum Kind: Int32, Sendable, Hashable {
        /// The processor.
        case cpu = 0
        /// An NVIDIA (or, in ROCm builds of libtorch, an AMD) GPU.
        case cuda = 1
        /// Apple's GPU.
        case mps = 13
    }

    /// The kind of device.
    public let kind: Kind
    /// The index among the devices of that kind; 0 for the processor and for Apple's GPU.
    public let index: Int

    /// The processor.
    public static let cpu = Device(kind: .cpu, index: 0)
    /// Apple's GPU.
    public static let mps = Device(kind: .mps, index: 0)

    /// Returns the CUDA GPU with an index, by default the first.
    ///
    /// CUDA is looked up at run time and never required; see ``isAvailable``.
    public static func cuda(_ index: Int = 0) -> Device { Device(kind: .cuda, index: index) }

    /// The fastest device of this machine: a CUDA GPU, or else Apple's GPU, or else the processor.
    public static var preferred: Device {
        if Device.cuda().isAvailable { return .cuda() }
        if Device.mps.isAvailable { return .mps }
        return .cpu
    }

    /// Creates a device from its name: `cpu`, `cuda`, `cuda:1`, `mps` or `auto`.
    ///
    /// `auto` stands for ``preferred``.
    ///
    /// - Throws: ``TorchError`` if the name is unknown or the device is not available.
    public init(named name: String) throws(TorchError) {
        switch name {
        case "auto": self = .preferred
        case "cpu": self = .cpu
        case "mps": self = .mps
        case "cuda": self = .cuda()
        default:
            guard name.hasPrefix("cuda:"), let index = Int(name.dropFirst(5)), index >= 0 else {
                throw .unknownDevice(name)
            }
            self = .cuda(index)
        }
        guard isAvailable else { throw .unavailableDevice(self) }
    }

    init(kind: Kind, index: Int) {
        self.kind = kind
        self.index = index
    }

    /// Whether this machine has the device and this libtorch supports it.
    public var isAvailable: Bool { index < Libtorch.deviceCount(kind) }

    /// Waits until the device has finished all queued work, for measuring times.
    ///
    /// - Throws: ``TorchError`` if the device fails.
    public func synchronize() throws(TorchError) { try Libtorch.synchronize(self) }

    /// The name that ``init(named:)`` accepts.
    public var description: String {
        switch kind {
        case .cpu: "cpu"
        case .cuda: "cuda:\(index)"
        case .mps: "mps"
        }
    }
}
