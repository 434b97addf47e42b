/// An error of libtorch or of this layer over it.
///
/// Its text names the operator and the shapes of the tensors it was given.
public struct TorchError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case libtorch
        case outOfMemory
        case deviceFailure
        case unknownDevice
        case unavailableDevice
        case missingParameter
        case shapeMismatch
    }

    private let code: Code
    /// What went wrong, in one line or a few.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether the memory of the processor or of a device did not suffice.
    ///
    /// Smaller batches need less of it.
    public var isOutOfMemory: Bool { code == .outOfMemory }

    /// Whether a device or its driver reported an error.
    public var isDeviceFailure: Bool { code == .deviceFailure }

    /// Whether the same call could succeed at another time or on another machine.
    var isRecoverable: Bool { isOutOfMemory || isDeviceFailure }

    /// libtorch refused a call; `message` names the operator and the shapes.
    static func libtorch(_ message: String) -> TorchError { TorchError(.libtorch, message) }

    /// There was no memory for a call.
    static func outOfMemory(_ message: String) -> TorchError {
        TorchError(
            .outOfMemory,
            message.hasPrefix("out of memory") ? message : "out of memory: \(message)")
    }

    /// A device failed during a call.
    static func deviceFailure(_ message: String) -> TorchError {
        TorchError(.deviceFailure, message)
    }

    /// A device's name could not be understood.
    static func unknownDevice(_ name: String) -> TorchError {
        TorchError(
            .unknownDevice, "unknown device '\(name)': use cpu, cuda, cuda:N, mps or auto")
    }

    /// The device is not on this machine, or this libtorch was built without it.
    static func unavailableDevice(_ device: Device) -> TorchError {
        TorchError(
            .unavailableDevice,
            "device \(device) is not available: this machine has none, or this libtorch was built"
                + " without support for it")
    }

    /// A file of weights lacks a parameter that the model needs.
    package static func missingParameter(_ name: String, file: String) -> TorchError {
        TorchError(.missingParameter, "\(file): has no tensor '\(name)'")
    }

    /// A stored parameter has another shape than the model expects.
    package static func shapeMismatch(
        _ name: String, file: String, expected: [Int], found: [Int]
    ) -> TorchError {
        TorchError(
            .shapeMismatch,
            "\(file): tensor '\(name)' has shape \(found) where the model expects \(expected)")
    }
}
