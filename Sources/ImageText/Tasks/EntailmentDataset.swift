public import SystemPackage

/// What a sentence is to an image, as in SNLI-VE (Xie et al., 2019).
///
/// The raw value is the class of the original's head.
public enum EntailmentLabel: Int, Sendable, Hashable, CaseIterable {
    /// The image shows that the sentence is wrong.
    case contradiction = 0
    /// The image shows neither that the sentence is right nor that it is wrong.
    case neutral = 1
    /// The image shows that the sentence is right.
    case entailment = 2

    /// The name in annotation files, such as `neutral`.
    public var name: String { "\(self)" }

    /// Creates the label of a name; `nil` if there is none of exactly this name.
    public init?(name: String) {
        guard let label = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = label
    }
}

/// An image, a sentence, and what the sentence is to the image.
public struct EntailmentItem: Sendable, Hashable {
    /// The image's file, the premise.
    public var image: FilePath
    /// The sentence as annotated, the hypothesis.
    public var sentence: String
    /// What the sentence is to the image.
    public var label: EntailmentLabel
    /// The annotation file that the item comes from.
    public var file: FilePath
    /// The place of the item in that file: `[3]` in a list, `line 4` in JSON Lines.
    public var entry: String

    /// Creates an item.
    public init(
        image: FilePath, sentence: String, label: EntailmentLabel, file: FilePath = "",
        entry: String = ""
    ) {
        self.image = image
        self.sentence = sentence
        self.label = label
        self.file = file
        self.entry = entry
    }
}

extension EntailmentItem: BenchmarkItem {}

/// Images and sentences of visual entailment, read from the original's annotation files.
///
/// A file is a JSON list of records, or one record per line:
///
/// ```json
/// {"image": "4705552913", "sentence": "Two women are holding packages.", "label": "neutral"}
/// ```
///
/// The name of an image may lack its extension, as it does in the original's files. Labels are the
/// names of ``EntailmentLabel``.
public struct EntailmentDataset: Sendable {
    /// The items, in the order of the files.
    public private(set) var items: [EntailmentItem]
    /// The number of items left out because their image does not exist.
    public private(set) var missingCount: Int

    /// Creates a data set of the given items.
    public init(items: [EntailmentItem]) {
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
    ///   - missing: The treatment of items whose image does not exist.
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    /// - Complexity: O(*n*) for *n* bytes of annotations; images are not opened.
    public init(
        reading files: [FilePath], imageRoot: FilePath? = nil, limit: Int = 0,
        missing: MissingImages = .refused
    ) throws(DatasetError) {
        (items, missingCount) = try TaskFile.items(
            of: files, fields: "image, sentence and label", imageRoot: imageRoot, limit: limit,
            missing: missing, images: { [$0.image] }
        ) { (entry: TaskFile.Entry<EntailmentRecord>, images, path) in
            EntailmentItem(
                image: images.file(entry.record.image), sentence: entry.record.sentence,
                label: entry.record.label, file: path, entry: "\(entry.place)")
        }
    }
}

/// A record of visual entailment.
private struct EntailmentRecord: Decodable {
    let image, sentence: String
    let label: EntailmentLabel

    private enum Field: String, CodingKey {
        case image, sentence, label
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        // Flickr30k names its images by numbers.
        image = try fields.decode(RecordID.self, forKey: .image).description
        guard !image.isEmpty else { throw fields.fault(.image, "is empty") }
        sentence = try fields.text(.sentence)
        let name = try fields.text(.label)
        guard let label = EntailmentLabel(name: name) else {
            throw fields.fault(
                .label, "is '\(name)'; a label is contradiction, neutral or entailment")
        }
        self.label = label
    }
}
