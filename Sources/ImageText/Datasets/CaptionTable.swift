internal import SystemPackage

/// A CSV or TSV file with a header that names its columns.
struct CaptionTable {
    private enum Column: CaseIterable {
        case image, caption, imageID, split

        /// What headers call it, the first that is there counts.
        var names: [String] {
            switch self {
            case .image: ["image", "filepath", "path", "filename", "file_name", "image_path"]
            case .caption: ["caption", "title", "text"]
            case .imageID: ["image_id"]
            case .split: ["split"]
            }
        }
    }

    let path: FilePath
    let splits: Set<String>

    func read(_ bytes: ArraySlice<UInt8>, into builder: inout DatasetBuilder) throws(DatasetError) {
        let header = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        let tab = UInt8(ascii: "\t")
        let separator = header.contains(tab) ? tab : UInt8(ascii: ",")
        var table = DelimitedText(bytes, separator: separator)
        do {
            try read(&table, into: &builder)
        } catch let fault as DelimitedText.Fault {
            throw .malformed(path, line: fault.line, fault.reason)
        } catch {
            throw error as? DatasetError ?? .unrecognised(path)
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
                    "has \(fields.count) fields where the header has \(width)")
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
            let id = try columns[.imageID].map { ImageID.text(try text($0, "image_id")) }
            builder.add(name: name, captions: [try text(caption, "caption")], imageID: id)
            count += 1
        }
        guard splits.isEmpty || count > 0 else {
            throw DatasetError.noRows(path, splits: splits, present: present)
        }
    }

    /// Where each column is.
    private func columns(_ header: [String]) throws(DatasetError) -> [Column: Int] {
        let header = header.map { name in
            name.lowercased().split(separator: " ").joined(separator: " ")
        }
        var columns: [Column: Int] = [:]
        for column in Column.allCases {
            for name in column.names where columns[column] == nil {
                columns[column] = header.firstIndex(of: name)
            }
        }
        if columns[.image] == nil, columns[.caption] == nil { throw .unrecognised(path) }
        for (column, what) in [(Column.image, "image"), (.caption, "caption")]
        where columns[column] == nil {
            throw .malformed(
                path, line: 1, field: what,
                "no column is called \(column.names.prefix(3).joined(separator: ", ")); "
                    + "there are: \(header.joined(separator: ", "))")
        }
        return columns
    }
}
