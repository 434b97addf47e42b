import OrderedCollections

/// A dictionary in a checkpoint, in the order of the file.
public struct CheckpointDictionary: Sendable, Sequence {
    /// A key and its value.
    public typealias Element = (key: CheckpointKey, value: CheckpointValue)

    private var elements: OrderedDictionary<CheckpointKey, CheckpointValue> = [:]

    /// Creates an empty dictionary.
    public init() {}

    /// The number of entries.
    public var count: Int { elements.count }

    /// The keys in order.
    public var keys: [CheckpointKey] { Array(elements.keys) }

    /// Accesses the value of a key; nil if the key is missing.
    public subscript(key: CheckpointKey) -> CheckpointValue? {
        get { elements[key] }
        set { elements[key] = newValue }
    }

    /// Returns the value of a string key; nil if the key is missing.
    public subscript(key: String) -> CheckpointValue? {
        elements[.string(key)]
    }

    /// Returns an iterator over the entries, in order.
    public func makeIterator() -> AnyIterator<Element> {
        var iterator = elements.makeIterator()
        return AnyIterator { iterator.next().map { ($0.key, $0.value) } }
    }

    /// The tensors among the values, by name, without those of nested dictionaries.
    public var tensors: NamedTensors {
        var tensors = NamedTensors()
        for (key, value) in elements {
            if let tensor = value.tensor { tensors[key.description] = tensor }
        }
        return tensors
    }
}
