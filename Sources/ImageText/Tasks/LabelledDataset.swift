public import SystemPackage

/// An image with the name of its class.
public struct LabelledImage: Sendable, Hashable {
    /// The image's file.
    public var path: FilePath
    /// The name of the class.
    public var label: String

    /// Creates an image with its class.
    public init(path: FilePath, label: String) {
        self.path = path
        self.label = label
    }
}

/// Images with the names of their classes, read from an annotation file.
///
/// The file is a JSON list, JSON Lines, CSV or TSV. Its fields, or columns with a header, are
/// `image` and `label`:
///
/// ```json
/// {"image": "images/0017.jpg", "label": "dog"}
/// ```
///
/// In JSON, the label may also be a whole number.
public struct LabelledDataset: Sendable {
    /// The images, in the order of the file.
    public var images: [LabelledImage]

    /// Creates a data set of the given images.
    public init(images: [LabelledImage]) { self.images = images }

    /// Reads an annotation file.
    ///
    /// - Parameters:
    ///   - file: The annotation file.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of the
    ///     file.
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    /// - Complexity: O(*n*) for *n* bytes of annotations; images are not opened.
    public init(reading file: FilePath, imageRoot: FilePath? = nil) throws(DatasetError) {
        let source = TaskFile(path: file, fields: "image and label")
        let bytes = try BenchmarkText.bytes(of: file)
        let root = imageRoot ?? file.removingLastComponent()
        func image(_ name: String, _ label: String) -> LabelledImage {
            LabelledImage(path: root.pushing(FilePath(name)).lexicallyNormalized(), label: label)
        }
        switch bytes.first(where: { !" \t\r\n".utf8.contains($0) }) {
        case nil, UInt8(ascii: "["), UInt8(ascii: "{"):
            images = try source.entries(of: LabelledRecord.self, in: bytes).map {
                image($0.record.image, $0.record.label)
            }
        default:
            images = try NamedColumns(
                path: file, required: ["image", "label"],
                unknown: .noRecords(file, fields: "image and label")
            ).read(bytes[...]) { row in image(try row.text("image"), try row.text("label")) }
        }
        guard !images.isEmpty else { throw .empty(file, "has no records") }
    }
}

/// A record of an image and its class.
private struct LabelledRecord: Decodable {
    let image, label: String

    private enum Field: String, CodingKey {
        case image, label
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        image = try fields.text(.image)
        label = try fields.decode(RecordID.self, forKey: .label).description
        guard !label.allSatisfy(\.isWhitespace) else { throw fields.fault(.label, "is empty") }
    }
}
