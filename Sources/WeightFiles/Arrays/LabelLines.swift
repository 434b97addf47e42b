import Foundation
import Storage
import SystemPackage

/// A file of JSON Lines beside a file of arrays: one line per row, with its labels.
///
/// A label that is not UTF-8 also has its exact bytes, in base 64.
final class LabelLines {
    /// The path of the file.
    let path: FilePath
    private let file: AtomicFile
    private var buffer = ByteBuffer()

    /// Creates the file of labels for a file of arrays: `features.jsonl` for `features.npy`.
    init(beside target: FilePath) throws {
        var path = target
        path.extension = "jsonl"
        self.path = path
        file = try AtomicFile(path)
    }

    /// Adds the labels of the next row.
    func append(_ labels: [RowLabel], _ columns: [RowArray.LabelColumn]) throws {
        var members: [String] = []
        for (column, label) in zip(columns, labels) {
            let text = String(decoding: label.bytes, as: UTF8.self)
            members.append("\(JSONValue.quoted(column.key)): \(JSONValue.quoted(text))")
            if !text.utf8.elementsEqual(label.bytes) {
                let exact = Data(label.bytes).base64EncodedString()
                members.append("\(JSONValue.quoted(column.key + "_base64")): \"\(exact)\"")
            }
        }
        let line = "{\(members.joined(separator: ", "))}\n"
        try Array(line.utf8).withUnsafeBytes { try buffer.add($0, writingTo: file.write) }
    }

    /// Moves the complete file into place.
    func commit() throws {
        try buffer.flush(to: file.write)
        try file.commit()
    }
}
