import Storage
internal import SystemPackage

/// An annotation file of a fine-tuning task: a JSON list of records, or one record per line.
struct TaskFile {
    let path: FilePath
    /// The fields that every record needs, as an error about another kind of file lists them.
    let fields: String

    /// A record and its place.
    struct Entry<Record> {
        let place: RecordPlace
        let record: Record
    }

    /// Reads the records, of which there is at least one.
    ///
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    /// - Complexity: O(*n*) for *n* bytes.
    func entries<Record: Decodable>(
        of type: Record.Type
    ) throws(DatasetError) -> [Entry<Record>] {
        try entries(of: type, in: try BenchmarkText.bytes(of: path))
    }

    /// Reads the records of a file's content.
    ///
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    func entries<Record: Decodable>(
        of type: Record.Type, in bytes: [UInt8]
    ) throws(DatasetError) -> [Entry<Record>] {
        let text = JSONText.repaired(bytes[...])
        let entries: [Entry<Record>]
        switch bytes.first(where: { !" \t\r\n".utf8.contains($0) }) {
        case nil: throw .empty(path, "is empty")
        case UInt8(ascii: "["):
            entries = try BenchmarkText.list(of: type, text, path).enumerated().map {
                Entry(place: .element($0), record: $1)
            }
        case UInt8(ascii: "{"):
            entries = try BenchmarkText.lines(
                of: type, text, path, unknown: .noRecords(path, fields: fields)
            ).map { Entry(place: .line($0.number), record: $0.value) }
        default: throw .noRecords(path, fields: fields)
        }
        guard !entries.isEmpty else { throw .empty(path, "has no records") }
        return entries
    }

    /// Reads the items of several files whose records are one item each, in order.
    ///
    /// - Parameters:
    ///   - files: The annotation files.
    ///   - fields: The fields that every record needs.
    ///   - imageRoot: The folder of the images; `nil` for the folder of each file.
    ///   - limit: The number of items to keep from the beginning of each file; 0 for all.
    ///   - missing: The treatment of items with an image that does not exist.
    ///   - images: Returns the images of an item.
    ///   - item: Makes the item of a record.
    /// - Returns: The items, and the number of those left out.
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    static func items<Record: Decodable, Item: BenchmarkItem>(
        of files: [FilePath], fields: String, imageRoot: FilePath?, limit: Int,
        missing: MissingImages, images: (Item) -> [FilePath],
        item: (Entry<Record>, inout ImageFinder, FilePath) -> Item
    ) throws(DatasetError) -> ([Item], Int) {
        var items: [Item] = []
        var missingCount = 0
        for path in files {
            let file = TaskFile(path: path, fields: fields)
            var finder = file.images(in: imageRoot)
            let read = try file.entries(of: Record.self).map { item($0, &finder, path) }
            let found = try missing.filter(read, of: path, limit: limit, images: images)
            items += found.items
            missingCount += found.missing
        }
        return (items, missingCount)
    }

    /// Returns a finder of the images that the records name.
    ///
    /// - Parameter root: The folder of the images; `nil` for the folder of the file.
    func images(in root: FilePath?) -> ImageFinder {
        ImageFinder(root: root ?? path.removingLastComponent())
    }
}

/// The place of a record in its file.
enum RecordPlace: CustomStringConvertible {
    /// The position in a list, from 0.
    case element(Int)
    /// The number of a line, from 1.
    case line(Int)

    /// The place as errors and items name it: `[3]` or `line 4`.
    var description: String {
        switch self {
        case .element(let index): "[\(index)]"
        case .line(let number): "line \(number)"
        }
    }

    /// Returns the error about a field of the record at this place.
    func error(_ path: FilePath, _ field: String, _ why: String) -> DatasetError {
        switch self {
        case .element: .malformed(path, entry: "\(self).\(field)", why)
        case .line(let number): .malformed(path, line: number, field: field, why)
        }
    }
}

extension KeyedDecodingContainer {
    /// Decodes a text, which must not be blank.
    func text(_ field: Key) throws -> String {
        let text = try decode(String.self, forKey: field)
        guard !text.allSatisfy(\.isWhitespace) else { throw fault(field, "is empty") }
        return text
    }

    /// Returns the error about a field.
    func fault(_ field: Key, _ why: String) -> DecodingError {
        .dataCorruptedError(forKey: field, in: self, debugDescription: why)
    }
}
