import Storage
internal import SystemPackage

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// An annotation file or folder in any of the formats that ``CaptionDataset`` lists.
///
/// The first character of the content decides which reader runs.
struct AnnotationFile {
    let path: FilePath
    let imageRoot: FilePath?
    let splits: Set<String>
    let columns: CaptionColumns

    /// The folder that relative paths start from.
    private var root: FilePath { imageRoot ?? path.removingLastComponent() }

    func read(into builder: inout DatasetBuilder) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: path)
        } catch {
            guard error.errno == .isDirectory else { throw .unreadable(path, error.reason) }
            guard splits.isEmpty else { throw .unsplit(path) }
            builder.begin(root: path)
            return try CaptionFolder(path).read(into: &builder)
        }
        builder.begin(root: root)
        let text = bytes[...]
        switch text.first(where: { !" \t\r\n".utf8.contains($0) }) {
        case nil: throw .empty(path, "is empty")
        case UInt8(ascii: "["):
            guard splits.isEmpty else { throw .unsplit(path) }
            try CaptionEntries(path: path, columns: columns)
                .read(list: Data(JSONText.repaired(text)), into: &builder)
        case UInt8(ascii: "{"):
            if Self.hasImagesList(text) {
                try ImageListDocument.read(
                    Data(JSONText.repaired(text)), of: path, splits: splits, into: &builder)
            } else {
                guard splits.isEmpty else { throw .unsplit(path) }
                try CaptionEntries(path: path, columns: columns)
                    .read(lines: JSONText.repaired(text), into: &builder)
            }
        default:
            try CaptionTable(path: path, splits: splits, names: columns)
                .read(text, into: &builder)
        }
    }

    /// Whether a JSON text has a key `images` with a list, as COCO's and Karpathy's documents do.
    ///
    /// Captions cannot contain this: quotes inside a JSON string are escaped.
    private static func hasImagesList(_ text: ArraySlice<UInt8>) -> Bool {
        let key = Array("\"images\"".utf8)
        return text.withUnsafeBufferPointer { text in
            var position = 0
            while position + key.count < text.count {
                guard text[position] == key[0], text[position + 1] == key[1],
                    text[position...].starts(with: key)
                else {
                    position += 1
                    continue
                }
                let rest = text[(position + key.count)...].lazy
                    .filter { !" \t\r\n".utf8.contains($0) }.prefix(2)
                if Array(rest) == Array(":[".utf8) { return true }
                position += key.count
            }
            return false
        }
    }
}
