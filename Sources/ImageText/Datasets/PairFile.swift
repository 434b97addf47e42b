import Storage
internal import SystemPackage

/// An annotation file of a ``PairDataset``, in any of its formats.
struct PairFile {
    let path: FilePath
    let imageRoot: FilePath?

    func read() throws(DatasetError) -> [PairItem] {
        let bytes = try BenchmarkText.bytes(of: path)
        var images = ImageFinder(root: imageRoot ?? path.removingLastComponent())
        let items: [PairItem]
        switch bytes.first(where: { !" \t\r\n".utf8.contains($0) }) {
        case nil: throw .empty(path, "is empty")
        case UInt8(ascii: "["):
            let entries = try BenchmarkText.list(
                of: PairEntry.self, JSONText.repaired(bytes[...]), path)
            items = entries.enumerated().map { item($1, "[\($0)]", &images) }
        case UInt8(ascii: "{"):
            let entries = try BenchmarkText.lines(
                of: PairEntry.self, JSONText.repaired(bytes[...]), path, unknown: .noPairs(path))
            items = entries.map { item($0.value, "line \($0.number)", &images) }
        default:
            let rows = try PairColumns(path: path).read(bytes[...])
            items = rows.map { item($0.entry, "line \($0.line)", &images) }
        }
        guard !items.isEmpty else { throw .empty(path, "has no pairs") }
        return items
    }

    private func item(
        _ entry: PairEntry, _ place: String, _ images: inout ImageFinder
    ) -> PairItem {
        PairItem(
            id: entry.id ?? place, images: entry.images.map { images.file($0) },
            captions: entry.captions, tags: entry.tags, file: path, entry: place)
    }
}

/// One pair as a file describes it.
struct PairEntry: Decodable {
    let id: String?
    let images: [String]
    let captions: [String]
    let tags: [PairItem.Tag: String]

    static let imageFields = ["image_0", "image_1"]
    static let captionFields = ["caption_0", "caption_1"]
    static let fields = imageFields + captionFields

    init(
        id: String?, images: [String], captions: [String], tags: [PairItem.Tag: String]
    ) {
        self.id = id
        self.images = images
        self.captions = captions
        self.tags = tags
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Name.self)
        func text(_ name: String) throws -> String {
            let key = Name(stringValue: name)
            let text = try fields.decode(String.self, forKey: key)
            if let fault = PairEntry.fault(text) {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: fields, debugDescription: fault)
            }
            return text
        }
        /// Returns a string, or a number as a string; `nil` if the field is null or empty.
        func label(_ name: String) throws -> String? {
            let key = Name(stringValue: name)
            guard fields.contains(key), try !fields.decodeNil(forKey: key) else { return nil }
            if let number = try? fields.decode(Int.self, forKey: key) { return "\(number)" }
            let text = try fields.decode(String.self, forKey: key)
            return text.isEmpty ? nil : text
        }
        id = try label("id")
        images = try Self.imageFields.map(text)
        captions = try Self.captionFields.map(text)
        var tags: [PairItem.Tag: String] = [:]
        for tag in PairItem.Tag.allCases { tags[tag] = try label(tag.rawValue) }
        self.tags = tags
    }

    /// Returns the fault of a required field's text, if any.
    static func fault(_ text: String) -> String? {
        text.allSatisfy(\.isWhitespace) ? "is empty" : nil
    }
}

/// A table of pairs with a header.
private struct PairColumns {
    let path: FilePath

    /// The field separators that are tried.
    private static let separators = Array(",\t;|".utf8)

    func read(_ bytes: ArraySlice<UInt8>) throws(DatasetError) -> [(line: Int, entry: PairEntry)] {
        do {
            return try rows(bytes)
        } catch let fault as DelimitedText.Fault {
            throw .malformed(path, line: fault.line, fault.reason)
        } catch {
            throw error as? DatasetError ?? .noPairs(path)
        }
    }

    private func rows(_ bytes: ArraySlice<UInt8>) throws -> [(line: Int, entry: PairEntry)] {
        let separator = Self.separators.first { names(bytes, $0).contains(PairEntry.fields[0]) }
        guard let separator else { throw DatasetError.noPairs(path) }
        let header = names(bytes, separator)
        for field in PairEntry.fields where !header.contains(field) {
            throw DatasetError.malformed(
                path, line: 1, field: field,
                "no column has this name; the columns are: \(header.joined(separator: ", "))")
        }
        var table = DelimitedText(bytes, separator: separator)
        var fields: [DelimitedText.Field] = []
        _ = try table.next(&fields)
        var rows: [(line: Int, entry: PairEntry)] = []
        while try table.next(&fields) {
            guard fields.count == header.count else {
                throw DatasetError.malformed(
                    path, line: table.line,
                    "has \(fields.count) fields, but the header has \(header.count)")
            }
            func label(_ name: String) throws -> String? {
                guard let column = header.firstIndex(of: name) else { return nil }
                guard let text = table.text(fields[column]) else {
                    throw DatasetError.malformed(
                        path, line: table.line, field: name, "is not UTF-8")
                }
                return text.isEmpty ? nil : text
            }
            func text(_ name: String) throws -> String {
                let text = try label(name) ?? ""
                if let fault = PairEntry.fault(text) {
                    throw DatasetError.malformed(path, line: table.line, field: name, fault)
                }
                return text
            }
            var tags: [PairItem.Tag: String] = [:]
            for tag in PairItem.Tag.allCases { tags[tag] = try label(tag.rawValue) }
            let entry = PairEntry(
                id: try label("id"), images: try PairEntry.imageFields.map(text),
                captions: try PairEntry.captionFields.map(text), tags: tags)
            rows.append((table.line, entry))
        }
        return rows
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
