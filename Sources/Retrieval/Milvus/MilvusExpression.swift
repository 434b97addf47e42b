/// Conditions on metadata in the language of Milvus's filters, over the object that
/// `StoredFields` makes.
///
/// An expression admits every entry that fulfils the conditions. It also admits an entry whose
/// text is longer than the part that is kept and begins like the condition's value, and one with
/// more metadata than fits; `StoreRecall` compares the results again.
package struct MilvusExpression: Sendable, Hashable, CustomStringConvertible {
    /// The field of the collection that holds the object.
    package static let field = "fields"

    /// The expression; empty if there are no conditions.
    package let description: String

    /// Translates conditions, all of which must hold.
    package init(_ filters: [MetadataFilter]) {
        let parts = filters.map { "(\(Self.expression($0)))" }
        guard !parts.isEmpty else {
            description = ""
            return
        }
        let all = parts.joined(separator: " and ")
        description = "(\(all)) or \(Self.contains([StoredFields.everything]))"
    }

    /// Returns the expression that selects ids.
    package static func ids(_ ids: some Sequence<String>, field: String) -> String {
        "\(field) in [\(ids.map { quoted($0) }.joined(separator: ", "))]"
    }

    /// Returns the expression that selects a range of ids.
    package static func range(_ range: StoreRange, field: String) -> String {
        let lower = "\(field) >= \(quoted(range.lower))"
        return range.upper.map { "\(lower) and \(field) < \(quoted($0))" } ?? lower
    }

    // MARK: One condition

    private static func expression(_ filter: MetadataFilter) -> String {
        switch filter.comparison {
        case .equals: equals(filter, admitsMore: true)
        case .differs: "not (\(equals(filter, admitsMore: false)))"
        default: any(ordered(filter))
        }
    }

    private static func any(_ parts: [String]) -> String { parts.joined(separator: " or ") }

    /// Returns the expression for =.
    ///
    /// - Parameter admitsMore: Whether it may hold for other entries too, rather than not hold for
    ///   some that fulfil the condition.
    private static func equals(_ filter: MetadataFilter, admitsMore: Bool) -> String {
        let (name, value) = (filter.name, filter.value)
        var marks = [StoredFields.mark(name, text: value)]
        if let number = Double(value), !number.isNaN {
            marks.append(StoredFields.mark(name, number: number))
        }
        var parts = [contains(marks)]
        switch EntryField(rawValue: name) {
        case .date:
            // Dates that begin with the value; they have no character above '~'.
            parts.append(
                "(\(compare("date", ">=", value)) and \(compare("date", "<=", value + "~")))")
        case .folder:
            if let inside = inside(folder: value, admitsMore: admitsMore) { parts.append(inside) }
        default: break
        }
        return any(parts)
    }

    /// Returns the expression for a folder and all folders in it; nil if none is exact enough.
    private static func inside(folder: String, admitsMore: Bool) -> String? {
        let wanted = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        guard StoredFields.isWhole(wanted + "/") else {
            return admitsMore
                ? "(\(compare("folder", ">=", wanted))"
                    + " and \(compare("folder", "<=", wanted + "/")))" : nil
        }
        let prefix = wanted == "/" ? "" : wanted
        // '0' follows '/'.
        return
            "(\(compare("folder", "==", wanted)) or (\(compare("folder", ">=", prefix + "/"))"
            + " and \(compare("folder", "<", prefix + "0"))))"
    }

    /// Returns the expressions of which one must hold for <, <=, > or >=.
    private static func ordered(_ filter: MetadataFilter) -> [String] {
        let (name, value, sign) = (
            StoredFields.encoded(filter.name), filter.value, filter.comparison.rawValue
        )
        let isUpwards = filter.comparison == .greater || filter.comparison == .atLeast
        var parts = [
            compare("t_\(name)", sign, value),
            compare("\(isUpwards ? "z" : "a")_\(name)", sign, value),
        ]
        if let number = number(filter) { parts.append("\(member("n_\(name)")) \(number)") }
        switch EntryField(rawValue: filter.name) {
        case .date:
            // A date is compared with the precision of the value.
            let end = filter.comparison == .greater || filter.comparison == .atMost ? "~" : ""
            parts.append(compare("date", sign, value + end))
        case .folder:
            let wanted = value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
            parts.append(compare("folder", sign, wanted))
        default: break
        }
        return parts
    }

    /// Returns the comparison with a number; nil if no number can fulfil it.
    private static func number(_ filter: MetadataFilter) -> String? {
        guard let number = Double(filter.value), !number.isNaN else { return nil }
        guard number.isInfinite else { return "\(filter.comparison.rawValue) \(number)" }
        let isBelow = filter.comparison == .less || filter.comparison == .atMost
        guard (number > 0) == isBelow else { return nil }
        return isBelow
            ? "<= \(Double.greatestFiniteMagnitude)" : ">= -\(Double.greatestFiniteMagnitude)"
    }

    // MARK: Syntax

    private static func member(_ name: String) -> String { "\(field)[\"\(name)\"]" }

    private static func contains(_ marks: [String]) -> String {
        any(marks.map { "json_contains(\(member("is")), \(quoted($0)))" })
    }

    /// Compares a text; if the value is longer than texts are kept, equal beginnings are admitted.
    private static func compare(_ name: String, _ sign: String, _ value: String) -> String {
        let admits = StoredFields.isWhole(value) || sign.hasSuffix("=") ? sign : sign + "="
        return "\(member(name)) \(admits) \(quoted(StoredFields.stored(value)))"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
