import OrderedCollections
import Storage
import SystemPackage
import Torch

/// Converts the result of a pickle into values whose tensors have their bytes.
struct CheckpointBuilder {
    let file: FilePath
    let pickled: Pickled
    /// Returns the bytes of a storage.
    let storage: (StorageReference) throws -> TensorStorage

    private var sequences: [Int: Counted] = [:]
    private var dictionaries: [Int: Counted] = [:]

    /// A value and the number of values in it; a shared value counts each time.
    private struct Counted {
        let value: CheckpointValue
        let count: Int
    }

    private static let maximumDepth = 64
    private static let maximumCount = 50_000_000

    init(
        _ pickled: Pickled, file: FilePath,
        storage: @escaping (StorageReference) throws -> TensorStorage
    ) {
        self.pickled = pickled
        self.file = file
        self.storage = storage
    }

    mutating func build() throws -> CheckpointValue {
        try convert(pickled.root, name: "", depth: 0).value
    }

    private mutating func convert(
        _ value: PickleValue, name: String, depth: Int
    ) throws -> Counted {
        // This also stops at a container that contains itself.
        guard depth <= CheckpointBuilder.maximumDepth else {
            throw FileError(
                file, .limit(what: "the nesting depth", limit: CheckpointBuilder.maximumDepth))
        }
        switch value {
        case .none: return Counted(value: .none, count: 1)
        case .bool(let value): return Counted(value: .bool(value), count: 1)
        case .int(let value): return Counted(value: .int(value), count: 1)
        case .double(let value): return Counted(value: .double(value), count: 1)
        case .string(let value): return Counted(value: .string(value), count: 1)
        case .bytes(let value): return Counted(value: .bytes(value), count: 1)
        case .object(let name), .global(.foreign(let name)):
            return Counted(value: .object(name), count: 1)
        case .global(let global): return Counted(value: .string("\(global)"), count: 1)
        case .storage:
            throw FileError(file, .unsupported("\"\(name)\" is a storage, not a tensor"))
        case .tensor(let recipe): return Counted(value: .tensor(try tensor(recipe, name)), count: 1)
        case .tuple(let index), .list(let index):
            if let known = sequences[index] { return known }
            var count = 1
            var values: [CheckpointValue] = []
            for (place, element) in pickled.arena.sequences[index].enumerated() {
                let made = try convert(element, name: "\(name)[\(place)]", depth: depth + 1)
                values.append(made.value)
                count = try sum(count, made.count)
            }
            let made = Counted(value: .list(values), count: count)
            sequences[index] = made
            return made
        case .dictionary(let index):
            if let known = dictionaries[index] { return known }
            var count = 1
            var dictionary = CheckpointDictionary()
            for (key, element) in pickled.arena.dictionaries[index] {
                let inner = name.isEmpty ? key.description : "\(name).\(key)"
                let made = try convert(element, name: inner, depth: depth + 1)
                dictionary[key] = made.value
                count = try sum(count, made.count)
            }
            let made = Counted(value: .dictionary(dictionary), count: count)
            dictionaries[index] = made
            return made
        }
    }

    /// Adds two counts, and throws if the sum exceeds the limit.
    ///
    /// A small file can nest shared containers so that a walk over all values would never end.
    private func sum(_ left: Int, _ right: Int) throws -> Int {
        guard left + right <= CheckpointBuilder.maximumCount else {
            throw FileError(
                file, .limit(what: "the number of values", limit: CheckpointBuilder.maximumCount))
        }
        return left + right
    }

    private func tensor(_ recipe: TensorRecipe, _ name: String) throws -> StoredTensor {
        let bytes = try storage(recipe.storage)
        let (offset, overflow) = recipe.offset.multipliedReportingOverflow(
            by: recipe.dtype.byteCount)
        func fault(_ problem: String) -> FileError {
            FileError(
                file,
                .tensor(
                    name: name,
                    problem: "\(problem) (shape \(recipe.shape), strides \(recipe.strides))"))
        }
        guard !overflow else { throw fault("starts at an impossible offset") }
        do {
            return try StoredTensor(
                dtype: recipe.dtype, shape: recipe.shape, strides: recipe.strides, storage: bytes,
                byteOffset: offset)
        } catch {
            switch error {
            case .negative: throw fault("has a negative size, stride or offset")
            case .rank: throw fault("has more or fewer strides than dimensions")
            case .overflow: throw fault("claims more elements than its storage can hold")
            case .outside(let needed, let available):
                throw fault("needs \(needed) bytes, but its storage has \(available)")
            }
        }
    }
}
