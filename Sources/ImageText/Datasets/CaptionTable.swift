internal import SystemPackage

/// A CSV or TSV file with a header that names its columns.
struct CaptionTable {
    private enum Column: CaseIterable {
        case image, caption, imageID, split
    }

    let path: FilePath
    let splits: Set<String>
    let names: CaptionColumns

    /// The field separators that are tried.
    ///
    /// Spreadsheets write semicolons in locales with a decimal comma.
    private static let separators = Array("\t,;|".utf8)

    func read(_ bytes: ArraySlice<UInt8>, into builder: inout DatasetBuilder) throws(DatasetError) {
        let separator = separator(of: bytes)
        var table = DelimitedText(bytes, separator: separator)
        do {
            try read(&table, into: &builder)
        } catch let fault as DelimitedText.Fault {
            throw .malformed(path, line: fault.line, fault.reason)
        } catch {
            throw error as? DatasetError ?? .unrecognised(path, header: [])
        }
    }

    private func read(_ table: inout DelimitedText, into builder: inout DatasetBuilder) throws {
        var fields: [DelimitedText.Field] = []
        guard try table.next(&fields) else { throw DatasetError.empty(path, "is empty") }
        let columns = try columns(fields.map { table.text($0) ?? "" })
        let width = fields.count
        guard let image = columns[.image], let caption = columns[.caption] else { return }
        if !splits.isEmpty, columns[.split] == nil { throw DatasetError.unsplit(path) }
        var present: Set<String> = []
        var count = 0
        while try table.next(&fields) {
            guard fields.count == width else {
                throw DatasetError.malformed(
                    path, line: table.line,
                    "has \(fields.count) fields, but the header has \(width)")
            }
            func text(_ column: Int, _ name: String) throws(DatasetError) -> String {
                guard let text = table.text(fields[column]) else {
                    throw .malformed(path, line: table.line, field: name, "is not UTF-8")
                }
                return text
            }
            if !splits.isEmpty, let column = columns[.split] {
                let split = try text(column, "split")
                present.insert(split)
                guard splits.contains(split) else { continue }
            }
            let name = try text(image, "image")
            guard !name.isEmpty else {
                throw DatasetError.malformed(path, line: table.line, field: "image", "is empty")
            }
            let id = try columns[.imageID].map { ImageID.text(ExactText(try text($0, "image_id"))) }
            builder.add(name: name, captions: [try text(caption, "caption")], imageID: id)
            count += 1
        }
        guard splits.isEmpty || count > 0 else {
            throw DatasetError.noRows(path, splits: splits, present: present)
        }
    }

    /// Returns the separator that yields most of the image and caption columns in the header, and
    /// among equals the one that yields most fields.
    private func separator(of bytes: ArraySlice<UInt8>) -> UInt8 {
        let headers = Self.separators.map { separator -> (separator: UInt8, fields: [String]) in
            var table = DelimitedText(bytes, separator: separator)
            var fields: [DelimitedText.Field] = []
            guard (try? table.next(&fields)) == true else { return (separator, []) }
            return (separator, fields.map { table.text($0) ?? "" })
        }
        func rank(_ fields: [String]) -> (known: Int, count: Int) {
            let found = find(fields)
            let known = [Column.image, .caption].count { found[$0] != nil }
            return (known, fields.count)
        }
        return headers.max { rank($0.fields) < rank($1.fields) }?.separator ?? Self.separators[0]
    }

    /// Returns the positions of the columns that exist.
    private func find(_ header: [String]) -> [Column: Int] {
        let header = header.map(Self.normalised)
        var columns: [Column: Int] = [:]
        for column in Column.allCases {
            let wanted =
                switch column {
                case .image: names.imageNames
                case .caption: names.captionNames
                case .imageID: ["image_id"]
                case .split: ["split"]
                }
            for name in wanted where columns[column] == nil {
                columns[column] = header.firstIndex(of: Self.normalised(name))
            }
        }
        return columns
    }

    /// Returns the positions of the columns.
    ///
    /// - Throws: ``DatasetError`` if the image or the caption column is missing.
    private func columns(_ header: [String]) throws(DatasetError) -> [Column: Int] {
        let columns = find(header)
        let isNamed = names != CaptionColumns()
        if columns[.image] == nil, columns[.caption] == nil, !isNamed {
            throw .unrecognised(path, header: header)
        }
        for (column, what, known) in [
            (Column.image, "image", names.imageNames), (.caption, "caption", names.captionNames),
        ] where columns[column] == nil {
            throw .malformed(
                path, line: 1, field: what,
                "no column is named \(known.prefix(3).joined(separator: ", ")); "
                    + "the columns are: \(header.map(Self.normalised).joined(separator: ", "))")
        }
        return columns
    }

    private static func normalised(_ name: String) -> String {
        name.lowercased().split(separator: " ").joined(separator: " ")
    }
}
