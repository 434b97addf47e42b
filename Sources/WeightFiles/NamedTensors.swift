import OrderedCollections

/// Tensors by name, in the order of their file.
///
/// ```swift
/// for (name, tensor) in try SafetensorsFile("model.safetensors").tensors {
///     print(name, tensor.dtype, tensor.shape)
/// }
/// ```
public struct NamedTensors: Sendable, Sequence {
    /// A name and its tensor.
    public typealias Element = (name: String, tensor: StoredTensor)

    private var elements: OrderedDictionary<String, StoredTensor> = [:]

    /// Creates an empty collection.
    public init() {}

    /// The number of tensors.
    public var count: Int { elements.count }

    /// Whether the collection is empty.
    public var isEmpty: Bool { elements.isEmpty }

    /// The names in order.
    public var names: [String] { Array(elements.keys) }

    /// Accesses the tensor of a name; nil if the name is missing.
    ///
    /// A new name is added at the end. Assigning nil removes a name.
    public subscript(name: String) -> StoredTensor? {
        get { elements[name] }
        set { elements[name] = newValue }
    }

    /// Returns an iterator over the names and tensors, in order.
    public func makeIterator() -> AnyIterator<Element> {
        var iterator = elements.makeIterator()
        return AnyIterator { iterator.next().map { ($0.key, $0.value) } }
    }
}
