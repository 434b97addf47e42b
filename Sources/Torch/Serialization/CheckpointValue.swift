/// What a checkpoint file holds: tensors and plain values in nested containers.
public indirect enum CheckpointValue: Sendable {
    /// Nothing (`None`).
    case none
    /// A truth value.
    case bool(Bool)
    /// A whole number.
    case int(Int)
    /// A number.
    case double(Double)
    /// A text.
    case string(String)
    /// Raw bytes.
    case bytes([UInt8])
    /// A tensor.
    case tensor(StoredTensor)
    /// A list or tuple.
    case list([CheckpointValue])
    /// A dictionary, in the order of the file.
    case dictionary(CheckpointDictionary)

    /// The dictionary, nil for any other value.
    public var dictionary: CheckpointDictionary? {
        if case .dictionary(let dictionary) = self { dictionary } else { nil }
    }

    /// The tensor, nil for any other value.
    public var tensor: StoredTensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// The text, nil for any other value.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The whole number, nil for any other value.
    public var int: Int? {
        if case .int(let value) = self { value } else { nil }
    }
}

/// A key of a dictionary in a checkpoint.
public enum CheckpointKey: Sendable, Hashable, CustomStringConvertible {
    /// A text, as in the names of parameters.
    case string(String)
    /// A number, as in the state of an optimizer.
    case int(Int)

    /// The key as text.
    public var description: String {
        switch self {
        case .string(let text): text
        case .int(let value): String(value)
        }
    }
}
