/// A condition on an entry's metadata or on one of its fields, such as `year>=2020`, `tags=beach`,
/// `date>=2020-06` or `camera=NIKON D90`.
///
/// Entries without a value of this name fulfil only `!=`. Texts are compared exactly and ordered by
/// their Unicode scalars. A list equals a text that it contains. The field ``EntryField/date`` is
/// compared with the precision of the condition's value: `date<=2020-06` holds for the whole of
/// June. A value of ``EntryField/folder`` also holds for the folders inside it.
public struct MetadataFilter: Sendable, Hashable {
    /// The comparison of a value.
    public enum Comparison: String, Sendable, Hashable, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case differs = "!="
        case equals = "="
        case less = "<"
        case greater = ">"

        /// Returns whether the comparison holds between two values.
        @inline(__always)
        func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
            switch self {
            case .equals: a == b
            case .differs: a != b
            case .less: a < b
            case .greater: a > b
            case .atMost: a <= b
            case .atLeast: a >= b
            }
        }
    }

    /// The name of a metadata value or field.
    public let name: String
    /// The comparison.
    public let comparison: Comparison
    /// The value to compare with, as typed.
    public let value: String

    /// Creates a condition.
    public init(_ name: String, _ comparison: Comparison, _ value: String) {
        self.name = name
        self.comparison = comparison
        self.value = value
    }

    /// Parses a condition as people type it; nil if it has no name or no comparison.
    public init?(_ text: String) {
        // The first sign counts, and at one place the longest.
        for index in text.indices {
            for comparison in Comparison.allCases
            where text[index...].hasPrefix(comparison.rawValue) {
                func trimmed(_ part: Substring) -> String {
                    let end = part.lastIndex { $0 != " " }.map { part.index(after: $0) }
                    return String(part[..<(end ?? part.startIndex)].drop { $0 == " " })
                }
                let name = trimmed(text[..<index])
                guard !name.isEmpty else { return nil }
                let value = trimmed(text[index...].dropFirst(comparison.rawValue.count))
                self.init(name, comparison, value)
                return
            }
        }
        return nil
    }

    /// Returns whether an entry fulfils the condition.
    public func callAsFunction(_ entry: IndexEntry) -> Bool { holds(entry.value(name)) }

    /// Returns whether a value, or nil for a missing one, fulfils the condition.
    func holds(_ value: FieldValue?) -> Bool {
        switch value {
        case nil: comparison == .differs
        case .plain(let value): holds(value)
        case .date(let date): compare(String(date.prefix(self.value.count)), self.value)
        case .folder(let folder): holds(folder: folder)
        }
    }

    private func holds(folder: String) -> Bool {
        let wanted = value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
        let isInside = folder == wanted || folder.hasPrefix(wanted == "/" ? "/" : wanted + "/")
        return switch comparison {
        case .equals: isInside
        case .differs: !isInside
        default: compare(folder, wanted)
        }
    }

    private func holds(_ value: MetadataValue) -> Bool {
        switch value {
        case .number(let number):
            guard let value = self.number else { return comparison == .differs }
            return compare(number, value)
        case .text(let text): return compare(text, self.value)
        case .flag(let flag): return compare(flag ? "true" : "false", self.value)
        case .list(let list):
            return switch comparison {
            case .differs: !list.contains(self.value)
            case .equals: list.contains(self.value)
            default: list.contains { compare($0, self.value) }
            }
        }
    }

    /// The value as a number; nil if it is none.
    var number: Double? { Double(value) }

    private func compare<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
        comparison.holds(a, b)
    }
}
