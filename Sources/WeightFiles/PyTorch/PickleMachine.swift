import OrderedCollections
import Storage
import SystemPackage

/// An interpreter for the part of Python's pickle language that builds tensors and containers.
///
/// A pickle is a program. Python's interpreter can import any name and call it. This one only
/// accepts the names of ``PickleGlobal`` and implements each of them. Objects of other classes,
/// such as the options of a training program, become values that hold only the name of the class.
/// A program that names a function of the system ends with an error that includes the name.
struct PickleMachine {
    var cursor: ByteCursor
    var stack: [PickleValue] = []
    var arena = PickleArena()
    var storages: [String: StorageReference] = [:]
    /// The number of elements that calls have copied from lists.
    var copiedCount = 0
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    private static let maximumStack = 1_000_000
    private static let maximumMemo = 4_000_000

    private init(_ cursor: ByteCursor) { self.cursor = cursor }

    /// Runs one pickle and moves the cursor past it.
    static func run(_ cursor: inout ByteCursor) throws -> Pickled {
        var machine = PickleMachine(cursor)
        while try machine.step() {}
        let root = try machine.pop()
        guard machine.stack.isEmpty, machine.marks.isEmpty else {
            throw machine.malformed("values are left over")
        }
        cursor = machine.cursor
        return Pickled(root: root, arena: machine.arena, storages: machine.storages)
    }

    // MARK: Errors

    func malformed(_ problem: String) -> FileError {
        FileError(cursor.file, .malformed("pickle, byte \(cursor.offset): \(problem)"))
    }

    func refused(_ name: String) -> FileError {
        // The name comes from the file, so it must be made short and printable.
        let printable = name.unicodeScalars.prefix(120).map { scalar in
            scalar.properties.generalCategory == .control ? "?" : String(scalar)
        }
        return FileError(cursor.file, .refused(name: printable.joined()))
    }

    // MARK: Stack and memo

    private mutating func push(_ value: PickleValue) throws {
        guard stack.count < PickleMachine.maximumStack else {
            throw FileError(
                cursor.file, .limit(what: "the pickle's stack", limit: PickleMachine.maximumStack))
        }
        stack.append(value)
    }

    private mutating func pop() throws -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw malformed("a value is missing")
        }
        return value
    }

    private mutating func popToMark() throws -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("a mark is missing") }
        let values = Array(stack[mark...])
        stack.removeLast(values.count)
        return values
    }

    /// Returns the top of the stack without removing it.
    private func top() throws -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.last else {
            throw malformed("a value is missing")
        }
        return value
    }

    private mutating func remember(_ index: Int) throws {
        guard memo.count < PickleMachine.maximumMemo else {
            throw FileError(
                cursor.file, .limit(what: "the pickle's memo", limit: PickleMachine.maximumMemo))
        }
        memo[index] = try top()
    }

    private mutating func recall(_ index: Int) throws {
        guard let value = memo[index] else { throw malformed("the memo has no value \(index)") }
        try push(value)
    }

    // MARK: Containers

    private func checkArena() throws {
        guard arena.count < PickleArena.maximumCount else {
            throw FileError(
                cursor.file,
                .limit(what: "the number of containers", limit: PickleArena.maximumCount))
        }
    }

    mutating func newSequence(_ values: [PickleValue]) throws -> Int {
        try checkArena()
        arena.sequences.append(values)
        return arena.sequences.count - 1
    }

    mutating func newDictionary() throws -> Int {
        try checkArena()
        arena.dictionaries.append([:])
        return arena.dictionaries.count - 1
    }

    // Values that are added to a skipped object are dropped.

    private mutating func append(_ values: [PickleValue]) throws {
        switch try top() {
        case .list(let index): arena.sequences[index].append(contentsOf: values)
        case .object: break
        default: throw malformed("there is no list to append to")
        }
    }

    private mutating func set(_ pairs: [PickleValue]) throws {
        switch try top() {
        case .dictionary(let index): try fill(index, pairs)
        case .object: break
        default: throw malformed("there is no dict to fill")
        }
    }

    private func checkSet() throws {
        guard case .object = try top() else { throw malformed("there is no set to fill") }
    }

    mutating func fill(_ dictionary: Int, _ pairs: [PickleValue]) throws {
        guard pairs.count % 2 == 0 else { throw malformed("a key has no value") }
        for place in stride(from: 0, to: pairs.count, by: 2) {
            guard let key = arena.key(pairs[place], place: arena.dictionaries[dictionary].count)
            else { throw malformed("a dict has \(pairs[place].kind) as a key") }
            arena.dictionaries[dictionary][key] = pairs[place + 1]
        }
    }
}

// MARK: - Instructions

extension PickleMachine {
    /// Runs one instruction and returns false after the last one.
    private mutating func step() throws -> Bool {
        let code = try cursor.integer(UInt8.self, "a pickle")
        guard let operation = PickleOperation(rawValue: code) else {
            throw malformed("unknown instruction \(code)")
        }
        switch operation {
        case .stop: return false
        case .protocol:
            let version = try cursor.integer(UInt8.self, "a pickle")
            guard (2...5).contains(version) else {
                throw malformed("protocol \(version) is not supported")
            }
        case .frame: _ = try cursor.size("a pickle's frame")
        case .mark:
            guard marks.count < PickleMachine.maximumStack else {
                throw malformed("the stack has too many marks")
            }
            marks.append(stack.count)
        case .pop:
            if let mark = marks.last, mark == stack.count {
                marks.removeLast()
            } else {
                _ = try pop()
            }
        case .popMark: _ = try popToMark()
        case .duplicate: try push(top())
        case .put: try remember(Int(try cursor.integer(UInt8.self, "a pickle")))
        case .longPut: try remember(Int(try cursor.integer(UInt32.self, "a pickle")))
        case .memoize: try remember(memo.count)
        case .get: try recall(Int(try cursor.integer(UInt8.self, "a pickle")))
        case .longGet: try recall(Int(try cursor.integer(UInt32.self, "a pickle")))
        case .emptyList: try push(.list(newSequence([])))
        case .emptyTuple: try push(.tuple(newSequence([])))
        case .emptyDictionary: try push(.dictionary(newDictionary()))
        case .list: try push(.list(newSequence(popToMark())))
        case .tuple: try push(.tuple(newSequence(popToMark())))
        case .dictionary:
            let pairs = try popToMark()
            let index = try newDictionary()
            try fill(index, pairs)
            try push(.dictionary(index))
        case .tuple1, .tuple2, .tuple3:
            let count = Int(code - PickleOperation.tuple1.rawValue) + 1
            var values: [PickleValue] = []
            for _ in 0..<count { values.append(try pop()) }
            try push(.tuple(newSequence(values.reversed())))
        case .append:
            let value = try pop()
            try append([value])
        case .appends: try append(popToMark())
        case .setItem:
            let value = try pop()
            let key = try pop()
            try set([key, value])
        case .setItems: try set(popToMark())
        case .global:
            try push(global(module: line(), name: line()))
        case .stackGlobal:
            guard let name = try pop().string, let module = try pop().string else {
                throw malformed("a global has no name")
            }
            try push(global(module: module, name: name))
        case .reduce:
            let arguments = try pop()
            let callee = try pop()
            try push(call(callee, arguments))
        case .persistentID:
            let id = try pop()
            try push(storage(id))
        case .build:
            let state = try pop()
            try build(top(), state)
        case .instance: throw refused("\(try line()).\(try line())")
        case .object:
            let first = try popToMark().first
            throw refused("the constructor of \(first.map(describe) ?? "nothing")")
        case .newObject:
            _ = try pop()
            try push(newObject(of: pop()))
        case .newObjectWithKeywords:
            _ = try pop()
            _ = try pop()
            try push(newObject(of: pop()))
        case .emptySet: try push(.object("set"))
        case .addItems:
            _ = try popToMark()
            try checkSet()
        case .frozenSet:
            _ = try popToMark()
            try push(.object("frozenset"))
        case .extension1, .extension2, .extension4: throw refused("a registered extension")
        case .textPersistentID: throw refused("the persistent object \(try line())")
        default: try push(scalar(operation))
        }
        return true
    }

    private func describe(_ value: PickleValue) -> String {
        if case .global(let global) = value { "\(global)" } else { value.kind }
    }

    private func global(module: String, name: String) throws -> PickleValue {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw refused("\(module).\(name)")
        }
        return .global(global)
    }

    /// Reads text up to the end of the line and moves past it.
    private mutating func line() throws -> String {
        let rest = cursor.bytes[cursor.offset...]
        guard let end = rest.firstIndex(of: 0x0A) else { throw malformed("a name does not end") }
        let text = try cursor.string(end - cursor.offset, "a pickle's name")
        _ = try cursor.take(1, "a pickle")
        return text
    }
}
