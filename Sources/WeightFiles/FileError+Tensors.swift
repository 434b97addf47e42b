package import Storage

extension FileError.Code {
    /// One tensor is wrong.
    package static func tensor(name: String, problem: String) -> Self {
        .part("tensor \"\(name)\" \(problem)")
    }

    /// The file lacks a tensor.
    package static func noTensor(name: String) -> Self { .part("has no tensor \"\(name)\"") }

    /// The file is a program instead of a checkpoint.
    package static let torchScript = Self.part(
        "is a TorchScript program, not a checkpoint; use the same weights in safetensors format,"
            + " such as openai/clip-vit-base-patch16 for OpenAI's CLIP")
}
