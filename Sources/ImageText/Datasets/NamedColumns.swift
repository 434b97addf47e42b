internal import SystemPackage

/// A table of a benchmark with a header, whose columns are found by their names.
struct NamedColumns {
    let path: FilePath
    /// The names of the columns that must exist.
    let required: [String]
    /// The error about a file without the first of these columns.
    let unknown: DatasetError

    /// The field separators that are tried.
    private static let separators = Array(",\t;|".utf8)

    /// One row of the table.
    struct Row {
        fileprivate let path: FilePath
        /// The line at which the row begins, from 1.
        let line: Int
        fileprivate let header: [String]
        fileprivate let table: DelimitedText
        fileprivate let fields: [DelimitedText.Field]

        /// Returns a field's text; `nil` if it is empty or there is no such column.
        func optional(_ name: String) throws(DatasetError) -> String? {
            guard let column = header.firstIndex(of: name) else { return nil }
            guard let text = table.text(fields[column]) else {
                throw .malformed(path, line: line, field: name, "is not UTF-8")
            }
            return text.isEmpty ? nil : text
        }

        /// Returns a field's text.
        ///
        /// - Throws: ``DatasetError`` if it is blank.
        func text(_ name: String) throws(DatasetError) -> String {
            let text = try optional(name) ?? ""
            guard !text.allSatisfy(\.isWhitespace) else {
                throw .malformed(path, line: line, field: name, "is empty")
            }
            return text
        }
    }

    /// Reads the rows, and returns what a closure makes of each.
    ///
    /// - Throws: ``DatasetError``, which names the file, the line and the field.
    func read<Value>(
        _ bytes: ArraySlice<UInt8>, _ body: (Row) throws -> Value
    ) throws(DatasetError) -> [Value] {
        do {
            return try rows(bytes, body)
        } catch let fault as DelimitedText.Fault {
            throw .malformed(path, line: fault.line, fault.reason)
        } catch {
            throw error as? DatasetError ?? unknown
        }
    }

    private func rows<Value>(
        _ bytes: ArraySlice<UInt8>, _ body: (Row) throws -> Value
    ) throws -> [Value] {
        let separator = Self.separators.first { separator in
            required.first.map(names(bytes, separator).contains) ?? false
        }
        guard let separator else { throw unknown }
        let header = names(bytes, separator)
        for field in required where !header.contains(field) {
            throw DatasetError.malformed(
                path, line: 1, field: field,
                "no column has this name; the columns are: \(header.joined(separator: ", "))")
        }
        var table = DelimitedText(bytes, separator: separator)
        var fields: [DelimitedText.Field] = []
        _ = try table.next(&fields)
        var values: [Value] = []
        while try table.next(&fields) {
            guard fields.count == header.count else {
                throw DatasetError.malformed(
                    path, line: table.line,
                    "has \(fields.count) fields, but the header has \(header.count)")
            }
            values.append(
                try body(
                    Row(path: path, line: table.line, header: header, table: table, fields: fields)
                ))
        }
        return values
    }

    /// Returns the header as split by a separator, in lower case.
    private func names(_ bytes: ArraySlice<UInt8>, _ separator: UInt8) -> [String] {
        var table = DelimitedText(bytes, separator: separator)
        var fields: [DelimitedText.Field] = []
        guard (try? table.next(&fields)) == true else { return [] }
        return fields.map { field in
            (table.text(field) ?? "").lowercased().split(separator: " ").joined(separator: " ")
        }
    }
}
