import Torch
import OrderedCollections

/// A value on the pickle machine's stack.
///
/// Containers are numbers of places in the machine's arena. So the values form no chains or rings
/// of references, however the pickle nests them, and freeing them never recurses.
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
    /// An object of a class that is not known here, by its name; what is in it is not kept.
    case object(String)

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int? { if case .int(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// What the value is called in messages.
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

/// Which of a file's storages a tensor views.
struct StorageReference: Sendable, Hashable {
    let key: String
    /// Nil for a storage of plain bytes.
    let dtype: DType?
    /// In elements, or in bytes if `dtype` is nil.
    let elementCount: Int
}

/// What a pickle says about a tensor; checked when it is built.
struct TensorRecipe: Sendable {
    let storage: StorageReference
    let dtype: DType
    /// In elements.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

/// The containers that a pickle makes and fills step by step.
struct PickleArena {
    /// Far more than any checkpoint needs.
    static let maximumCount = 4_000_000

    /// Lists and tuples.
    var sequences: [[PickleValue]] = []
    var dictionaries: [OrderedDictionary<CheckpointKey, PickleValue>] = []

    var count: Int { sequences.count + dictionaries.count }

    func tuple(_ value: PickleValue) -> [PickleValue]? {
        if case .tuple(let index) = value { sequences[index] } else { nil }
    }

    /// The elements of a tuple or list of whole numbers.
    func integers(_ value: PickleValue) -> [Int]? {
        let values: [PickleValue]
        switch value {
        case .tuple(let index), .list(let index): values = sequences[index]
        default: return nil
        }
        let integers = values.compactMap(\.int)
        return integers.count == values.count ? integers : nil
    }
}

/// What one pickle describes.
struct Pickled {
    let root: PickleValue
    let arena: PickleArena
    /// Every storage that was referred to, by key.
    let storages: [String: StorageReference]
}
