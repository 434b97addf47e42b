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
        let (data, start) = try Self.content(of: file)
        guard start == UInt8(ascii: "{") else {
            throw .malformed(
                file, entry: "", "is not a JSON object with a list of boxes for each image")
        }
        self.init(boxes: try Self.boxes(in: data, of: file), file: file)
    }

    /// Reads the boxes of one image.
    ///
    /// - Parameters:
    ///   - file: A file of proposals, in which the image is found by its name, or a JSON list of the
    ///     image's boxes alone.
    ///   - image: The image's file.
    ///   - width: The width of the upright image in pixels.
    ///   - height: The height of the upright image in pixels.
    /// - Throws: ``DatasetError``, which names the file and the box, also if the file has no boxes of
    ///   the image or if a box extends beyond it.
    /// - Complexity: O(*n*) for *n* bytes.
    public static func boxes(
        in file: FilePath, of image: FilePath, width: Int, height: Int
    ) throws(DatasetError) -> [BoundingBox] {
        let (data, start) = try content(of: file)
        let proposals: BoxProposals
        let key: String
        switch start {
        case UInt8(ascii: "["):
            key = ""
            do {
                let boxes = try JSONDecoder().decode([DetectedBox].self, from: data).map(\.box)
                proposals = BoxProposals(boxes: [key: boxes], file: file)
            } catch {
                throw .json(error, in: data, of: file)
            }
        case UInt8(ascii: "{"):
            proposals = BoxProposals(boxes: try boxes(in: data, of: file), file: file)
            guard let found = proposals.key(ofImage: image.string, id: nil) else {
                throw .malformed(file, entry: "", "has no boxes of '\(image)'")
            }
            key = found
        default:
            throw .malformed(
                file, entry: "",
                "is neither a JSON list of boxes nor an object with a list of boxes for each image")
        }
        let boxes = proposals.boxes[key, default: []]
        try proposals.check(boxes, named: key, image: image, width: width, height: height)
        return boxes
    }

    /// Checks that the boxes of a key are inside their image.
    func check(
        _ boxes: [BoundingBox], named key: String, image: FilePath, width: Int, height: Int
    ) throws(DatasetError) {
        for (index, box) in boxes.enumerated() where !box.isInside(width: width, height: height) {
            throw .malformed(
                file, entry: "\(key)[\(index)]",
                box.fault(beyond: image, width: width, height: height))
        }
    }

    /// Returns the text of a file and its first character.
    private static func content(
        of file: FilePath
    ) throws(DatasetError) -> (data: Data, start: UInt8) {
        let bytes = try BenchmarkText.bytes(of: file)
        guard let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }) else {
            throw .empty(file, "is empty")
        }
        return (Data(JSONText.repaired(bytes[...])), first)
    }

    private static func boxes(
        in data: Data, of file: FilePath
    ) throws(DatasetError) -> [String: [BoundingBox]] {
        do {
            return try JSONDecoder().decode([String: [DetectedBox]].self, from: data)
                .mapValues { $0.map(\.box) }
        } catch {
            throw .json(error, in: data, of: file)
        }
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
