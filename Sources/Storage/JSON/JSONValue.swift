package import SystemPackage

/// A JSON value whose objects keep their members in the order of the file.
///
/// Foundation's decoders keep neither the order nor repeated names. A header that repeats a name
/// is damaged or hostile and must be refused.
package indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number, as its text in the file.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One name of an object and its value.
    package struct Member: Sendable, Hashable {
        package let name: String
        package let value: JSONValue
    }

    /// The value as an integer; nil if it is not a number, is not whole or does not fit.
    package var integer: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }

    /// The text of a string; nil for other values.
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The elements of an array; nil for other values.
    package var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The members of an object; nil for other values.
    package var object: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// Parses a whole document.
    ///
    /// - Parameters:
    ///   - file: the file that an error names.
    ///   - what: the part of the file that an error names, such as "the header".
    /// - Complexity: O(n) for n bytes.
    /// - Throws: ``FileError`` unless the bytes are one strict JSON document that is nested at most
    ///   16 levels deep and in which no object repeats a name.
    package init(_ bytes: UnsafeRawBufferPointer, file: FilePath, what: String) throws {
        var parser = JSONParser(bytes)
        do throws(JSONScanner.Fault) { self = try parser.document() } catch {
            throw FileError(file, .malformed("\(what), byte \(error.place): \(error.problem)"))
        }
    }

    /// Returns `text` as a JSON string, including the quotes.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
