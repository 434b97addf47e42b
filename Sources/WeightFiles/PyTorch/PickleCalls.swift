import OrderedCollections
import Storage
import Torch

/// The calls that a pickle can make; each is implemented here and never looked up by name.
extension PickleMachine {
    mutating func call(_ callee: PickleValue, _ arguments: PickleValue) throws -> PickleValue {
        guard case .global(let function) = callee else {
            throw refused("\(callee.kind)")
        }
        guard let arguments = arena.tuple(arguments) else {
            throw malformed("a call is without arguments")
        }
        switch function {
        case .orderedDictionary: return try orderedDictionary(arguments)
        case .rebuildTensor: return try tensor(arguments, typed: false)
        case .rebuildTypedTensor: return try tensor(arguments, typed: true)
        case .rebuildParameter:
            guard case .tensor? = arguments.first else {
                throw malformed("a parameter has no tensor")
            }
            return arguments[0]
        case .size:
            guard arguments.count == 1, arena.integers(arguments[0]) != nil else {
                throw malformed("a torch.Size has no tuple of integers")
            }
            return arguments[0]
        case .device:
            guard let type = arguments.first?.string else {
                throw malformed("a device has no name")
            }
            return .string(arguments.dropFirst().first?.int.map { "\(type):\($0)" } ?? type)
        case .foreign(let name): return .object(name)
        case .storage, .dtype:
            throw refused("\(function)")
        }
    }

    /// Creates an object without calling its class, which only skipped classes allow.
    func newObject(of type: PickleValue) throws -> PickleValue {
        guard case .global(let global) = type else { throw refused("__new__ of \(type.kind)") }
        guard case .foreign(let name) = global else { throw refused("__new__ of \(global)") }
        return .object(name)
    }

    private mutating func orderedDictionary(_ arguments: [PickleValue]) throws -> PickleValue {
        let index = try newDictionary()
        if let first = arguments.first {
            guard arguments.count == 1, case .list(let list) = first else {
                throw malformed("an OrderedDict is created from \(first.kind), not from a list")
            }
            // Without a limit, every call that names one long list would copy it.
            copiedCount += arena.sequences[list].count
            guard copiedCount <= PickleArena.maximumCount else {
                throw FileError(
                    cursor.file,
                    .limit(
                        what: "the number of copied elements", limit: PickleArena.maximumCount))
            }
            for pair in arena.sequences[list] {
                let values: [PickleValue]
                switch pair {
                case .tuple(let place), .list(let place): values = arena.sequences[place]
                default: throw malformed("an OrderedDict has \(pair.kind) in place of a pair")
                }
                guard values.count == 2 else {
                    throw malformed("an OrderedDict has a pair with \(values.count) elements")
                }
                try fill(index, values)
            }
        }
        return .dictionary(index)
    }

    /// Creates a tensor from (storage, offset, shape, strides, requires_grad, hooks[, dtype][,
    /// metadata]).
    private func tensor(_ arguments: [PickleValue], typed: Bool) throws -> PickleValue {
        guard arguments.count >= (typed ? 7 : 6), arguments.count <= (typed ? 8 : 7),
            case .storage(let storage) = arguments[0], let offset = arguments[1].int,
            let shape = arena.integers(arguments[2]), let strides = arena.integers(arguments[3])
        else { throw malformed("a tensor is not described in the way of torch.save") }
        guard shape.count <= PickleArena.maximumRank else {
            throw malformed(
                "a tensor has more than the \(PickleArena.maximumRank) dimensions that are possible"
            )
        }
        let dtype: DType
        if typed {
            guard case .global(.dtype(let type)) = arguments[6] else {
                throw malformed("a tensor has no type")
            }
            dtype = type
        } else {
            dtype = storage.dtype ?? .uint8
        }
        return .tensor(
            TensorRecipe(
                storage: storage, dtype: dtype, offset: offset, shape: shape, strides: strides))
    }

    /// Creates a storage from ('storage', class, key, device, number of elements[, None]).
    mutating func storage(_ id: PickleValue) throws -> PickleValue {
        guard let parts = arena.tuple(id), let tag = parts.first?.string else {
            throw malformed("a persistent object is not a storage")
        }
        guard tag == "storage" else { throw refused("the source of a saved \(tag)") }
        guard (5...6).contains(parts.count), case .global(.storage(let dtype)) = parts[1],
            let key = parts[2].string ?? parts[2].int.map(String.init),
            let count = parts[4].int, count >= 0
        else { throw malformed("a storage is not described in the way of torch.save") }
        if parts.count == 6 {
            guard case .none = parts[5] else {
                throw malformed("a storage is a view of another storage")
            }
        }
        // The original device of the storage ("cpu", "cuda:0") does not matter.
        let reference = StorageReference(key: key, dtype: dtype, elementCount: count)
        if let known = storages[key], known != reference {
            throw malformed("the storage \(key) is described in two ways")
        }
        storages[key] = reference
        return .storage(reference)
    }

    /// Accepts and drops the attribute `_metadata` of a state dictionary, the versions of modules.
    ///
    /// The state of a skipped object is dropped as well.
    func build(_ target: PickleValue, _ state: PickleValue) throws {
        if case .object = target { return }
        guard case .dictionary = target, case .dictionary(let index) = state else {
            throw refused("__setstate__ of \(target.kind)")
        }
        for key in arena.dictionaries[index].keys where key != .string("_metadata") {
            throw refused("__setstate__ of a dict with the attribute \(key)")
        }
    }
}
