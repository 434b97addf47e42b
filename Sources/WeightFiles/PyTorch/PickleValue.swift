import OrderedCollections
import Torch

/// A value on the pickle machine's stack.
///
/// A container is an index into the machine's arena. The values therefore never form chains or
/// cycles of references, and freeing them never recurses, no matter how the pickle nests them.
enum PickleValue: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    case storage(StorageReference)
    case tensor(TensorRecipe)
    /// The name of the class of a skipped object, whose content is dropped.
    case object(String)

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int? { if case .int(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The kind of value, for messages.
    var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a bool"
        case .int: "an int"
        case .double: "a float"
        case .string: "a string"
        case .bytes: "bytes"
        case .tuple: "a tuple"
        case .list: "a list"
        case .dictionary: "a dict"
        case .global: "a class"
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .object(let name): "an object of \(name)"
        }
    }
}

/// A reference to a storage in the file.
struct StorageReference: Sendable, Hashable {
    let key: String
    /// The type of the elements; nil for a storage of plain bytes.
    let dtype: DType?
    /// The length in elements, or in bytes if `dtype` is nil.
    let elementCount: Int
}

/// The description of a tensor in a pickle, which is checked when the tensor is built.
struct TensorRecipe: Sendable {
    let storage: StorageReference
    let dtype: DType
    /// The position of the first element, in elements.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

/// The containers that a pickle creates and fills step by step.
struct PickleArena {
    /// The limit, which is far above the need of any checkpoint.
    static let maximumCount = 4_000_000

    /// Lists and tuples.
    var sequences: [[PickleValue]] = []
    var dictionaries: [OrderedDictionary<CheckpointKey, PickleValue>] = []

    var count: Int { sequences.count + dictionaries.count }

    func tuple(_ value: PickleValue) -> [PickleValue]? {
        if case .tuple(let index) = value { sequences[index] } else { nil }
    }

    /// The limit for the dimensions of a tensor.
    static let maximumRank = 64

    /// Returns the elements of a tuple or list of whole numbers; nil for other values.
    ///
    /// Only one more than a tensor can have dimensions are read, because a pickle can name one long
    /// list millions of times.
    func integers(_ value: PickleValue) -> [Int]? {
        let values: ArraySlice<PickleValue>
        switch value {
        case .tuple(let index), .list(let index):
            values = sequences[index].prefix(Self.maximumRank + 1)
        default: return nil
        }
        let integers = values.compactMap(\.int)
        return integers.count == values.count ? integers : nil
    }
}

/// The result of running one pickle.
struct Pickled {
    let root: PickleValue
    let arena: PickleArena
    /// All storages that the pickle refers to, by key.
    let storages: [String: StorageReference]
}
