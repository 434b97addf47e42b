/// A key of a dictionary in a checkpoint.
///
/// Two string keys are equal if their bytes are equal, as in Python. `String` would treat two
/// encodings of "é" as the same key.
public enum CheckpointKey: Sendable, Hashable, CustomStringConvertible {
    /// A string, such as the name of a parameter.
    case string(String)
    /// A whole number or a truth value, such as an index in the state of an optimizer.
    case int(Int)
    /// A number that is not whole.
    case double(Double)
    /// Python's `None`.
    case none
    /// Raw bytes.
    case bytes([UInt8])
    /// A tuple of keys.
    case tuple([CheckpointKey])
    /// An object of another Python class: the name of the class and the position in the dictionary.
    case object(String, Int)

    /// The key as text.
    public var description: String {
        switch self {
        case .string(let text): text
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .none: "None"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .tuple(let keys): "(" + keys.map(\.description).joined(separator: ", ") + ")"
        case .object(let name, _): name
        }
    }

    /// Returns whether two keys are equal; strings are compared byte by byte.
    public static func == (left: CheckpointKey, right: CheckpointKey) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.none, .none): true
        case (.bytes(let left), .bytes(let right)): left == right
        case (.tuple(let left), .tuple(let right)): left == right
        case (.object(let left, let first), .object(let right, let second)):
            first == second && left == right
        default: false
        }
    }

    /// Hashes the kind and the value of the key.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .string(let text):
            hasher.combine(0)
            hasher.combine(text)
        case .int(let value):
            hasher.combine(1)
            hasher.combine(value)
        case .double(let value):
            hasher.combine(2)
            hasher.combine(value)
        case .none: hasher.combine(3)
        case .bytes(let bytes):
            hasher.combine(4)
            hasher.combine(bytes)
        case .tuple(let keys):
            hasher.combine(5)
            hasher.combine(keys)
        case .object(let name, let place):
            hasher.combine(6)
            hasher.combine(name)
            hasher.combine(place)
        }
    }
}

extension PickleArena {
    /// Converts a value to a key.
    ///
    /// - Parameter place: the position in the dictionary, which distinguishes objects of one class.
    /// - Returns: nil for values that Python does not accept as keys, such as lists.
    func key(_ value: PickleValue, place: Int) -> CheckpointKey? {
        var room = 64
        return key(value, place: place, room: &room, depth: 0)
    }

    /// - Parameter room: the number of values that the key may still contain; a larger tuple
    ///   becomes an object.
    private func key(
        _ value: PickleValue, place: Int, room: inout Int, depth: Int
    ) -> CheckpointKey? {
        room -= 1
        switch value {
        case .none: return CheckpointKey.none
        case .bool(let value): return .int(value ? 1 : 0)
        case .int(let value): return .int(value)
        case .double(let value):
            if let whole = Int(exactly: value) { return .int(whole) }
            // NaN is not equal to itself, so each one is a separate key.
            return value.isNaN ? .object("float", place) : .double(value)
        case .string(let text): return .string(text)
        case .bytes(let bytes): return .bytes(bytes)
        case .object(let name): return .object(name, place)
        case .global(let global): return .string("\(global)")
        case .tuple(let index):
            let values = sequences[index]
            guard values.count <= room, depth < 8 else { return .object("tuple", place) }
            var keys: [CheckpointKey] = []
            for value in values {
                guard room > 0,
                    let key = key(value, place: place, room: &room, depth: depth + 1)
                else { return room > 0 ? nil : .object("tuple", place) }
                keys.append(key)
            }
            return .tuple(keys)
        case .list, .dictionary, .storage, .tensor: return nil
        }
    }
}
