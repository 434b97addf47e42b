import OrderedCollections

/// Tensors by name, in the order of the file they come from.
public struct NamedTensors: Sendable, Sequence {
    /// One tensor with its name.
    public typealias Element = (name: String, tensor: StoredTensor)

    private var elements: OrderedDictionary<String, StoredTensor> = [:]

    /// Creates an empty collection.
    public init() {}

    /// Number of tensors.
    public var count: Int { elements.count }

    /// Whether there are none.
    public var isEmpty: Bool { elements.isEmpty }

    /// The names in order.
    public var names: [String] { Array(elements.keys) }

    /// The tensor of a name, nil if there is none; a new name is put last.
    public subscript(name: String) -> StoredTensor? {
        get { elements[name] }
        set { elements[name] = newValue }
    }

    /// The tensors with their names, in order.
    public func makeIterator() -> AnyIterator<Element> {
        var iterator = elements.makeIterator()
        return AnyIterator { iterator.next().map { ($0.key, $0.value) } }
    }
}
