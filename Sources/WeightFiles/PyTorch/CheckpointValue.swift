/// A value in a checkpoint: a tensor, a plain value, or a container of values.
public indirect enum CheckpointValue: Sendable {
    /// Python's `None`.
    case none
    /// A truth value.
    case bool(Bool)
    /// A whole number.
    case int(Int)
    /// A floating-point number.
    case double(Double)
    /// A string.
    case string(String)
    /// Raw bytes.
    case bytes([UInt8])
    /// A tensor.
    case tensor(StoredTensor)
    /// A list or tuple.
    case list([CheckpointValue])
    /// A dictionary, in the order of the file.
    case dictionary(CheckpointDictionary)
    /// The name of another Python class, such as `argparse.Namespace`.
    ///
    /// The file has an object of this class, or the class itself. Its content is not read, and none
    /// of its code is run.
    case object(String)

    /// The dictionary; nil for any other value.
    public var dictionary: CheckpointDictionary? {
        if case .dictionary(let dictionary) = self { dictionary } else { nil }
    }

    /// The tensor; nil for any other value.
    public var tensor: StoredTensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// The string; nil for any other value.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The whole number; nil for any other value.
    public var int: Int? {
        if case .int(let value) = self { value } else { nil }
    }
}

extension CheckpointValue {
    /// The names of all classes in ``object(_:)`` values and keys, sorted, without duplicates.
    ///
    /// - Complexity: O(n) for n values.
    public var classNames: [String] {
        var names: Set<String> = []
        func collect(_ value: CheckpointValue) {
            switch value {
            case .object(let name): names.insert(name)
            case .list(let values): for value in values { collect(value) }
            case .dictionary(let dictionary):
                for (key, value) in dictionary {
                    if case .object(let name, _) = key { names.insert(name) }
                    collect(value)
                }
            default: break
            }
        }
        collect(self)
        return names.sorted()
    }
}
