public import SystemPackage

/// Two images, and a sentence that is true or false of them, as in NLVR2 (Suhr et al., ACL 2019).
public struct NLVRItem: Sendable, Hashable {
    /// The files of the left and the right image.
    public var images: [FilePath]
    /// The sentence as annotated.
    public var sentence: String
    /// Whether the sentence is true of the images.
    public var isTrue: Bool
    /// The annotation file that the item comes from.
    public var file: FilePath
    /// The place of the item in that file: `[3]` in a list, `line 4` in JSON Lines.
    public var entry: String

    /// The class of the original's head: 1 if the sentence is true, otherwise 0.
    public var label: Int { isTrue ? 1 : 0 }

    /// Creates an item of two images.
    public init(
        images: [FilePath], sentence: String, isTrue: Bool, file: FilePath = "", entry: String = ""
    ) {
        precondition(images.count == 2, "an item of NLVR2 has two images")
        self.images = images
        self.sentence = sentence
        self.isTrue = isTrue
        self.file = file
        self.entry = entry
    }
}

extension NLVRItem: BenchmarkItem {}

/// Pairs of images with sentences, read from the original's annotation files of NLVR2.
///
/// A file is a JSON list of records, or one record per line:
///
/// ```json
/// {"images": ["dev-850-0-img0.png", "dev-850-0-img1.png"],
///  "sentence": "The left image shows two dogs.", "label": "True"}
/// ```
///
/// A label is a text or a JSON boolean; upper and lower case are alike. Names of images may lack
/// their extension.
public struct NLVRDataset: Sendable {
    /// The items, in the order of the files.
    public private(set) var items: [NLVRItem]
    /// The number of items left out because one of their images does not exist.
    public private(set) var missingCount: Int

    /// Creates a data set of the given items.
    public init(items: [NLVRItem]) {
        self.items = items
        missingCount = 0
    }

    /// Reads several annotation files, in order.
    ///
    /// - Parameters:
    ///   - files: The annotation files.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     each annotation file.
    ///   - limit: The number of items to keep from the beginning of each file; 0 for all.
    ///   - missing: The treatment of items with an image that does not exist.
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    /// - Complexity: O(*n*) for *n* bytes of annotations; images are not opened.
    public init(
        reading files: [FilePath], imageRoot: FilePath? = nil, limit: Int = 0,
        missing: MissingImages = .refused
    ) throws(DatasetError) {
        (items, missingCount) = try TaskFile.items(
            of: files, fields: "images, sentence and label", imageRoot: imageRoot, limit: limit,
            missing: missing, images: \.images
        ) { (entry: TaskFile.Entry<NLVRRecord>, images, path) in
            NLVRItem(
                images: entry.record.images.map { images.file($0) },
                sentence: entry.record.sentence, isTrue: entry.record.isTrue, file: path,
                entry: "\(entry.place)")
        }
    }
}

/// A record of NLVR2.
private struct NLVRRecord: Decodable {
    let images: [String]
    let sentence: String
    let isTrue: Bool

    private enum Field: String, CodingKey {
        case images, sentence, label
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        images = try fields.decode([String].self, forKey: .images)
        guard images.count == 2 else {
            throw fields.fault(.images, "needs two images, but has \(images.count)")
        }
        guard !images.contains("") else { throw fields.fault(.images, "contains an empty name") }
        sentence = try fields.text(.sentence)
        isTrue = try Self.label(fields)
    }

    private static func label(_ fields: KeyedDecodingContainer<Field>) throws -> Bool {
        if let label = try? fields.decode(Bool.self, forKey: .label) { return label }
        let text = try fields.text(.label)
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default: throw fields.fault(.label, "is '\(text)'; a label is True or False")
        }
    }
}
