/// The kind of value that each key of some settings accepts, by the key's full name.
///
/// The schema comes from the settings type itself: the type is decoded once from a decoder that
/// contains every key and records the requested types. A new setting therefore needs no second
/// declaration.
struct SettingsSchema {
    /// The kind of value that a key accepts.
    enum Form: Hashable {
        case text, list, truth, number, whole, natural
        case choice([String])

        /// The form as a phrase that follows "must be".
        var words: String {
            switch self {
            case .text: "text"
            case .list: "a list, such as [one, two]"
            case .truth: "true or false"
            case .number: "a number"
            case .whole: "a whole number"
            case .natural: "a whole number of 0 or more"
            case .choice(let names): "one of \(names.joined(separator: ", "))"
            }
        }
    }

    /// The form of every key.
    private(set) var forms: [String: Form] = [:]
    /// The keys that may be empty.
    private(set) var optional: Set<String> = []

    /// Creates the schema of a settings type.
    ///
    /// - Throws: The errors that the type throws for the placeholder values.
    init<Settings: Decodable>(of type: Settings.Type) throws {
        let notes = Notes()
        _ = try Settings(from: SchemaDecoder(notes: notes, codingPath: []))
        forms = notes.forms
        optional = notes.optional
    }

    fileprivate final class Notes {
        var forms: [String: Form] = [:]
        var optional: Set<String> = []
    }
}

private struct SchemaDecoder: Decoder {
    let notes: SettingsSchema.Notes
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(SchemaContainer<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unknown("a list") }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw unknown("a single value")
    }

    func unknown(_ what: String) -> DecodingError {
        .dataCorrupted(
            .init(codingPath: codingPath, debugDescription: "settings cannot be \(what) here"))
    }
}

private struct SchemaContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: SchemaDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { [] }

    private func note(_ form: SettingsSchema.Form, _ key: Key) {
        decoder.notes.forms[name(key)] = form
    }

    private func name(_ key: Key) -> String {
        (codingPath + [key]).map(\.stringValue).joined(separator: ".")
    }

    private func whole<Number: FixedWidthInteger>(_ key: Key) -> Number {
        note(Number.isSigned ? .whole : .natural, key)
        return 0
    }

    func contains(_ key: Key) -> Bool { true }

    // Only optional settings ask whether they are nil.
    func decodeNil(forKey key: Key) -> Bool {
        decoder.notes.optional.insert(name(key))
        return false
    }

    func decode(_ type: Bool.Type, forKey key: Key) -> Bool {
        note(.truth, key)
        return false
    }

    func decode(_ type: String.Type, forKey key: Key) -> String {
        note(.text, key)
        return ""
    }

    func decode(_ type: Double.Type, forKey key: Key) -> Double {
        note(.number, key)
        return 0
    }

    func decode(_ type: Float.Type, forKey key: Key) -> Float {
        note(.number, key)
        return 0
    }

    func decode(_ type: Int.Type, forKey key: Key) -> Int { whole(key) }
    func decode(_ type: Int8.Type, forKey key: Key) -> Int8 { whole(key) }
    func decode(_ type: Int16.Type, forKey key: Key) -> Int16 { whole(key) }
    func decode(_ type: Int32.Type, forKey key: Key) -> Int32 { whole(key) }
    func decode(_ type: Int64.Type, forKey key: Key) -> Int64 { whole(key) }
    func decode(_ type: UInt.Type, forKey key: Key) -> UInt { whole(key) }
    func decode(_ type: UInt8.Type, forKey key: Key) -> UInt8 { whole(key) }
    func decode(_ type: UInt16.Type, forKey key: Key) -> UInt16 { whole(key) }
    func decode(_ type: UInt32.Type, forKey key: Key) -> UInt32 { whole(key) }
    func decode(_ type: UInt64.Type, forKey key: Key) -> UInt64 { whole(key) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        if let empty = [String]() as? Value {
            note(.list, key)
            return empty
        }
        let nested = SchemaDecoder(notes: decoder.notes, codingPath: codingPath + [key])
        guard let choices = type as? any CaseIterable.Type else { return try Value(from: nested) }
        func all<Choice: CaseIterable>(_ type: Choice.Type) -> [Any] { Array(type.allCases) }
        let cases = all(choices)
        note(
            .choice(cases.map { "\(($0 as? any RawRepresentable)?.rawValue ?? $0)" }), key)
        guard let first = cases.first as? Value else { throw nested.unknown("a choice of nothing") }
        return first
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedDecodingContainer<Nested> {
        SchemaDecoder(notes: decoder.notes, codingPath: codingPath + [key])
            .container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw decoder.unknown("a list")
    }

    func superDecoder() -> any Decoder { decoder }
    func superDecoder(forKey key: Key) -> any Decoder { decoder }
}
