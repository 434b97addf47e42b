internal import Foundation
import Storage
public import SystemPackage

/// The boxes that a detector proposes for each image.
///
/// The file is a JSON object, as the original's `dets.json` and `cocos.json`: the key is the
/// number of an image of COCO, and the value is a list of `[x, y, width, height]`. Further values
/// of a box, such as its score, are not read.
///
/// ```json
/// {"581857": [[0, 85.5, 212, 340], [201.3, 74, 98, 120, 0.97]]}
/// ```
public struct BoxProposals: Sendable {
    /// The boxes of each image, by the file's keys.
    public let boxes: [String: [BoundingBox]]
    /// The file that the boxes come from.
    public let file: FilePath

    /// Creates proposals of the given boxes.
    ///
    /// - Parameters:
    ///   - boxes: The boxes of each image; see ``key(ofImage:id:)`` for the keys.
    ///   - file: The file that errors name; empty by default.
    public init(boxes: [String: [BoundingBox]], file: FilePath = "") {
        self.boxes = boxes
        self.file = file
    }

    /// Reads a file of proposals.
    ///
    /// - Throws: ``DatasetError``, which names the file, the image and the box.
    /// - Complexity: O(*n*) for *n* bytes.
    public init(reading file: FilePath) throws(DatasetError) {
        let bytes = try BenchmarkText.bytes(of: file)
        guard let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }) else {
            throw .empty(file, "is empty")
        }
        guard first == UInt8(ascii: "{") else {
            throw .malformed(
                file, entry: "", "is not a JSON object with a list of boxes for each image")
        }
        let data = Data(JSONText.repaired(bytes[...]))
        do {
            boxes = try JSONDecoder().decode([String: [DetectedBox]].self, from: data)
                .mapValues { $0.map(\.box) }
        } catch {
            throw .json(error, in: data, of: file)
        }
        self.file = file
    }

    /// Returns the key of an image, of those that exist.
    ///
    /// It is the image's number or text in `image_id`. An image without one is looked for by its
    /// name, by its name without folders and extension, and by the number at the end of that, such
    /// as 581857 for `train2014/COCO_train2014_000000581857.jpg`.
    ///
    /// - Parameters:
    ///   - name: The name of the image in an annotation file.
    ///   - id: The image's `image_id`, if it is known.
    /// - Returns: `nil` if no such key exists.
    public func key(ofImage name: String, id: RecordID?) -> String? {
        if let id { return boxes[id.description] == nil ? nil : id.description }
        let stem = FilePath(name).stem ?? name
        let digits = stem.reversed().prefix { $0.isASCII && $0.isNumber }.reversed()
        let keys = [name, stem, String(digits.drop { $0 == "0" })]
        return keys.first { boxes[$0] != nil }
    }
}
