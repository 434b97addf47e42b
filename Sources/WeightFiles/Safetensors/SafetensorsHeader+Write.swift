import Storage
import SystemPackage
import Torch

extension SafetensorsHeader {
    /// The description of one tensor, in the order of the data.
    struct Row {
        let name: String
        let dtype: DType
        let shape: [Int]
        /// The position in bytes, counted from the end of the header.
        let range: Range<Int>
    }

    /// The data of mapped files starts at a multiple of this, so that every tensor is aligned.
    private static let alignment = 64

    /// Returns the bytes before the data: the length field and the JSON text, padded with spaces.
    ///
    /// - Parameters:
    ///   - byteCount: The number of bytes to fill; nil for the next multiple of 64.
    /// - Throws: `FileError` if two tensors have the same name.
    static func bytes(
        _ rows: [Row], metadata: [String: String], byteCount: Int? = nil, file: FilePath
    ) throws -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map {
                "\(JSONValue.quoted($0.key)):\(JSONValue.quoted($0.value))"
            }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var taken: Set<String> = ["__metadata__"]
        for row in rows {
            guard taken.insert(row.name).inserted else {
                throw FileError(
                    file, .tensor(name: row.name, problem: "needs another name; this one is taken"))
            }
            guard let type = names[row.dtype] else {
                throw FileError(
                    file, .tensor(name: row.name, problem: "has a type that the format lacks"))
            }
            let shape = row.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(JSONValue.quoted(row.name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(row.range.lowerBound),\(row.range.upperBound)]}")
        }
        let fieldBytes = 8
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        let used = text.count + fieldBytes
        let room = byteCount ?? (used + alignment - 1) / alignment * alignment
        text.append(contentsOf: repeatElement(0x20, count: room - used))
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}
