/// An error of libtorch or of this module.
///
/// If an operator fails, the text includes its name and the shapes of its arguments.
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
    /// The cause of the error, in one or more lines.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether the machine or a device ran out of memory.
    ///
    /// Smaller batches need less memory.
    public var isOutOfMemory: Bool { code == .outOfMemory }

    /// Whether a device or its driver reported an error.
    public var isDeviceFailure: Bool { code == .deviceFailure }

    /// Whether the same call could succeed at another time or on another machine.
    var isRecoverable: Bool { isOutOfMemory || isDeviceFailure }

    /// libtorch refused a call; `message` includes the operator and the shapes.
    static func libtorch(_ message: String) -> TorchError { TorchError(.libtorch, message) }

    /// A call ran out of memory.
    static func outOfMemory(_ message: String) -> TorchError {
        TorchError(
            .outOfMemory,
            message.hasPrefix("out of memory") ? message : "out of memory: \(message)")
    }

    /// A device failed during a call.
    static func deviceFailure(_ message: String) -> TorchError {
        TorchError(.deviceFailure, message)
    }

    /// The name of a device is unknown.
    static func unknownDevice(_ name: String) -> TorchError {
        TorchError(
            .unknownDevice, "unknown device '\(name)': use cpu, cuda, cuda:N, mps or auto")
    }

    /// The device is not on this machine, or this libtorch was built without it.
    static func unavailableDevice(_ device: Device) -> TorchError {
        TorchError(
            .unavailableDevice,
            "device \(device) is not available: this machine has none, or this libtorch was built"
                + " without support for it; use the device cpu, or auto for the best that there is")
    }

    /// A file of weights lacks a parameter that the model needs.
    package static func missingParameter(_ name: String, file: String) -> TorchError {
        TorchError(.missingParameter, "\(file): has no tensor '\(name)'")
    }

    /// A stored parameter does not have the shape that the model expects.
    package static func shapeMismatch(
        _ name: String, file: String, expected: [Int], found: [Int]
    ) -> TorchError {
        TorchError(
            .shapeMismatch,
            "\(file): tensor '\(name)' has shape \(found), but the model expects \(expected)")
    }
}
