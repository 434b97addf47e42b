import OrderedCollections

/// A dictionary of a checkpoint, in the order of the file.
public struct CheckpointDictionary: Sendable, Sequence {
    /// One entry.
    public typealias Element = (key: CheckpointKey, value: CheckpointValue)

    private var elements: OrderedDictionary<CheckpointKey, CheckpointValue> = [:]

    /// Creates an empty dictionary.
    public init() {}

    /// Number of entries.
    public var count: Int { elements.count }

    /// The keys in order.
    public var keys: [CheckpointKey] { Array(elements.keys) }

    /// The value of a key, nil if there is none.
    public subscript(key: CheckpointKey) -> CheckpointValue? {
        get { elements[key] }
        set { elements[key] = newValue }
    }

    /// The value of a text key, nil if there is none.
    public subscript(key: String) -> CheckpointValue? {
        elements[.string(key)]
    }

    /// The entries in order.
    public func makeIterator() -> AnyIterator<Element> {
        var iterator = elements.makeIterator()
        return AnyIterator { iterator.next().map { ($0.key, $0.value) } }
    }

    /// The entries that are tensors, by name, those of dictionaries inside left out.
    public var tensors: NamedTensors {
        var tensors = NamedTensors()
        for (key, value) in elements {
            if let tensor = value.tensor { tensors[key.description] = tensor }
        }
        return tensors
    }
}
