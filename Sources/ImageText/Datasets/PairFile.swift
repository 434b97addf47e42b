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
            let rows = try NamedColumns(
                path: path, required: PairEntry.fields, unknown: .noPairs(path)
            ).read(bytes[...]) { row in (line: row.line, entry: try PairEntry(row)) }
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

    /// Reads the fields of a table's row.
    init(_ row: NamedColumns.Row) throws(DatasetError) {
        id = try row.optional("id")
        var (images, captions) = ([String](), [String]())
        for field in Self.imageFields { images.append(try row.text(field)) }
        for field in Self.captionFields { captions.append(try row.text(field)) }
        (self.images, self.captions) = (images, captions)
        var tags: [PairItem.Tag: String] = [:]
        for tag in PairItem.Tag.allCases { tags[tag] = try row.optional(tag.rawValue) }
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
            guard !text.allSatisfy(\.isWhitespace) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: fields, debugDescription: "is empty")
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
}
