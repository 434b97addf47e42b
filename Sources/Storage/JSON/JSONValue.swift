package import SystemPackage

/// A JSON value with its members in the order of the file.
///
/// Foundation's decoders keep neither the order nor repeated names; a header that repeats a name is
/// damaged or hostile and must be refused.
package indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// The number's text as it stands in the file.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package let name: String
        package let value: JSONValue
    }

    /// A number that is a whole one and fits.
    package var integer: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    package var object: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// Parses a whole document.
    ///
    /// - Throws: ``FileError`` naming `file` on anything but one strict JSON document without
    ///   repeated names, nested at most 16 deep.
    package init(_ bytes: UnsafeRawBufferPointer, file: FilePath, what: String) throws {
        var parser = JSONParser(bytes)
        do throws(JSONScanner.Fault) { self = try parser.document() } catch {
            throw FileError(file, .malformed("\(what), byte \(error.place): \(error.problem)"))
        }
    }

    /// `text` as a JSON string, quotes included.
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
