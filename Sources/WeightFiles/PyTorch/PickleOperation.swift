import Storage

/// The instructions of pickle protocols 2 to 5, including those that the machine refuses.
///
/// `torch.save` never used protocols 0 and 1, which write numbers as text.
enum PickleOperation: UInt8 {
    case stop = 0x2E
    case `protocol` = 0x80
    case frame = 0x95
    case mark = 0x28
    case pop = 0x30
    case popMark = 0x31
    case duplicate = 0x32
    case put = 0x71
    case longPut = 0x72
    case memoize = 0x94
    case get = 0x68
    case longGet = 0x6A

    case none = 0x4E
    case `true` = 0x88
    case `false` = 0x89
    case int32 = 0x4A
    case uint8 = 0x4B
    case uint16 = 0x4D
    case long1 = 0x8A
    case long4 = 0x8B
    case double = 0x47
    case shortUnicode = 0x8C
    case unicode = 0x58
    case longUnicode = 0x8D
    case shortBytes = 0x43
    case bytes = 0x42
    case longBytes = 0x8E
    case byteArray = 0x96
    case shortString = 0x55
    case string = 0x54

    case emptyList = 0x5D
    case emptyTuple = 0x29
    case emptyDictionary = 0x7D
    case list = 0x6C
    case tuple = 0x74
    case dictionary = 0x64
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case emptySet = 0x8F
    case addItems = 0x90
    case frozenSet = 0x91
    case append = 0x61
    case appends = 0x65
    case setItem = 0x73
    case setItems = 0x75

    case global = 0x63
    case stackGlobal = 0x93
    case reduce = 0x52
    case build = 0x62
    case persistentID = 0x51
    case newObject = 0x81
    case newObjectWithKeywords = 0x92

    // The machine refuses these, with the name that they request.
    case textPersistentID = 0x50
    case instance = 0x69
    case object = 0x6F
    case extension1 = 0x82
    case extension2 = 0x83
    case extension4 = 0x84
}

extension PickleMachine {
    /// Reads the value that follows an instruction.
    mutating func scalar(_ operation: PickleOperation) throws -> PickleValue {
        let what = "a pickle's value"
        switch operation {
        case .none: return .none
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .int32: return .int(Int(try cursor.integer(Int32.self, what)))
        case .uint8: return .int(Int(try cursor.integer(UInt8.self, what)))
        case .uint16: return .int(Int(try cursor.integer(UInt16.self, what)))
        case .long1: return try long(Int(try cursor.integer(UInt8.self, what)))
        case .long4: return try long(Int(try cursor.integer(UInt32.self, what)))
        case .double:
            // The only big-endian number of the format.
            let bits = try cursor.integer(UInt64.self, what).byteSwapped
            return .double(Double(bitPattern: bits))
        case .shortUnicode:
            return .string(try cursor.string(Int(try cursor.integer(UInt8.self, what)), what))
        case .unicode:
            return .string(try cursor.string(Int(try cursor.integer(UInt32.self, what)), what))
        case .longUnicode: return .string(try cursor.string(try cursor.size(what), what))
        case .shortString: return try byteString(Int(try cursor.integer(UInt8.self, what)))
        case .string: return try byteString(Int(try cursor.integer(UInt32.self, what)))
        case .shortBytes: return try bytes(Int(try cursor.integer(UInt8.self, what)))
        case .bytes: return try bytes(Int(try cursor.integer(UInt32.self, what)))
        case .longBytes, .byteArray: return try bytes(try cursor.size(what))
        default: throw malformed("unexpected instruction")
        }
    }

    private mutating func bytes(_ count: Int) throws -> PickleValue {
        .bytes(Array(try cursor.take(count, "a pickle's value")))
    }

    /// Reads a string of Python 2, which is text or bytes that are not UTF-8.
    private mutating func byteString(_ count: Int) throws -> PickleValue {
        let raw = try cursor.take(count, "a pickle's value")
        return String(validating: raw, as: UTF8.self).map { .string($0) } ?? .bytes(Array(raw))
    }

    /// Reads a whole number in little-endian two's complement of `count` bytes.
    ///
    /// A number of more than eight bytes, such as the state of a random generator, becomes a
    /// skipped object.
    private mutating func long(_ count: Int) throws -> PickleValue {
        let raw = try cursor.take(count, "a pickle's number")
        guard count <= 8 else { return .object("int") }
        var bits: UInt64 = raw.last.map { $0 & 0x80 != 0 } == true ? .max : 0
        for byte in raw.reversed() { bits = bits << 8 | UInt64(byte) }
        return .int(Int(Int64(bitPattern: bits)))
    }
}
