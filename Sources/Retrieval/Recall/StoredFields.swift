import Foundation
import Storage

/// What a ``FeatureStore`` keeps of an entry's metadata and fields for filters: a flat JSON object
/// in which a store can compare numbers and texts without knowing their types in advance.
///
/// | member | value |
/// |---|---|
/// | `is` | a mark for each equality that holds, such as that of `tags` and the text `beach` |
/// | `n_NAME` | a number |
/// | `t_NAME` | a text, or `true` and `false` |
/// | `a_NAME`, `z_NAME` | the first and the last text of a list |
/// | `date`, `folder` | the fields of these names, unless metadata has the name |
///
/// Texts are in Unicode's composed form and at most ``longestText`` scalars long, so what a store
/// finds may have to be compared again. `is` is always there, so that a store need not know what a
/// missing value differs from.
package enum StoredFields {
    /// The most Unicode scalars of a text that are kept.
    static let longestText = 64
    /// The most bytes of the object; Milvus permits 65,536.
    static let mostBytes = 60_000
    /// The mark of an entry with more metadata than fits, which every condition must admit.
    static let everything = "*"

    /// Returns the object of an entry, as JSON with sorted names.
    package static func json(of entry: IndexEntry) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(members(of: entry))
        guard data.count <= mostBytes else { return "{\"is\":[\"\(everything)\"]}" }
        return String(decoding: data, as: UTF8.self)
    }

    /// A value in the object.
    enum Value: Encodable, Equatable {
        case number(Double)
        case text(String)
        case list([String])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .list(let list): try container.encode(list)
            }
        }
    }

    /// Returns the members of an entry's object.
    static func members(of entry: IndexEntry) -> [String: Value] {
        var members: [String: Value] = [:]
        var marks: Set<String> = []
        for name in Set(entry.metadata.keys).union(EntryField.allCases.map(\.rawValue)) {
            let key = encoded(name)
            switch entry.value(name) {
            case nil: continue
            case .date(let date): members["date"] = .text(stored(date))
            case .folder(let folder): members["folder"] = .text(stored(folder))
            case .plain(.number(let number)):
                members["n_\(key)"] = .number(number)
                marks.insert(mark(name, number: number))
            case .plain(.text(let text)):
                members["t_\(key)"] = .text(stored(text))
                marks.insert(mark(name, text: text))
            case .plain(.flag(let flag)):
                let text = flag ? "true" : "false"
                members["t_\(key)"] = .text(text)
                marks.insert(mark(name, text: text))
            case .plain(.list(let list)):
                marks.formUnion(list.map { mark(name, text: $0) })
                if let first = list.min(), let last = list.max() {
                    members["a_\(key)"] = .text(stored(first))
                    members["z_\(key)"] = .text(stored(last))
                }
            }
        }
        members["is"] = .list(marks.sorted())
        return members
    }

    /// Returns a text in the form in which it is kept.
    static func stored(_ text: String) -> String {
        String(String.UnicodeScalarView(composed(text).unicodeScalars.prefix(longestText)))
    }

    /// Returns whether a text is kept whole, even if other texts that begin with it are not.
    static func isWhole(_ text: String) -> Bool {
        composed(text).unicodeScalars.count < longestText
    }

    /// Returns a text in the form in which Swift compares texts.
    private static func composed(_ text: String) -> String {
        text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
    }

    /// Returns a name in letters that every store accepts.
    static func encoded(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        return isPlain ? name : "x_" + Array(composed(name).utf8).hexadecimal
    }

    static func mark(_ name: String, text: String) -> String { mark("t", name, composed(text)) }

    static func mark(_ name: String, number: Double) -> String {
        // Both zeros are equal.
        mark("n", name, "\(number == 0 ? 0 : number)")
    }

    /// Returns 64 bits of a digest.
    ///
    /// Two different values share them with a probability of 2^-64, and results are compared again.
    private static func mark(_ type: String, _ name: String, _ value: String) -> String {
        let text = "\(type)\(name.utf8.count):\(composed(name))=\(value)"
        return String(ContentDigest(of: text.utf8).hexadecimal.prefix(16))
    }
}
