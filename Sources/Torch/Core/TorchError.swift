/// An error of libtorch or of this layer over it.
///
/// Its text names the operator and the shapes of the tensors it was given.
public struct TorchError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case libtorch
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

    /// libtorch refused a call; `message` names the operator and the shapes.
    static func libtorch(_ message: String) -> TorchError { TorchError(.libtorch, message) }

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
