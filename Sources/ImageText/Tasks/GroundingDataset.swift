public import SystemPackage

/// Texts that refer to boxes of images, read from test files in the original's shape for RefCOCO+
/// (Yu et al., "Modeling Context in Referring Expressions", ECCV 2016).
///
/// A file is a JSON list of records, or one record per line:
///
/// ```json
/// {"image": "train2014/COCO_train2014_000000581857.jpg", "text": "man in blue",
///  "bbox": [103.93, 299.99, 134.22, 177.42], "ref_id": 34483, "split": "testA"}
/// ```
///
/// `text` may be a list of texts for one box. `bbox` is `[x, y, width, height]`. The original's
/// files lack it, because its program takes the box of a `ref_id` from the files of RefCOCO+.
/// `ref_id`, `split` and `image_id` may be missing. Names of images may lack their extension.
///
/// Training sees no boxes: ``CaptionDataset`` reads the original's training files.
public struct GroundingDataset: Sendable {
    /// The items, in the order of the files; each text of a list is an item.
    public private(set) var items: [GroundingItem]
    /// The number of items left out because their image does not exist.
    public private(set) var missingCount: Int

    /// Creates a data set of the given items.
    public init(items: [GroundingItem]) {
        self.items = items
        missingCount = 0
    }

    /// Reads several annotation files, in order.
    ///
    /// Each image is read, but not decoded, because its boxes must be inside it: up to one pixel on
    /// each side, for rounded coordinates.
    ///
    /// - Parameters:
    ///   - files: The annotation files.
    ///   - proposals: The boxes among which a model chooses; `nil` for none.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     each annotation file.
    ///   - limit: The number of items to keep from the beginning of each file; 0 for all.
    ///   - missing: The treatment of items whose image does not exist.
    /// - Throws: ``DatasetError``, which names the file, the record and the field: also if an image
    ///   cannot be read, has no entry among the proposals, or is smaller than one of its boxes.
    /// - Complexity: O(*n*) for *n* bytes of annotations and images.
    public init(
        reading files: [FilePath], proposals: BoxProposals? = nil, imageRoot: FilePath? = nil,
        limit: Int = 0, missing: MissingImages = .refused
    ) throws(DatasetError) {
        self.init(items: [])
        var check = BoxCheck(proposals: proposals)
        for path in files {
            let file = TaskFile(path: path, fields: "image, text and bbox")
            var images = file.images(in: imageRoot)
            var references: [Reference] = []
            for entry in try file.entries(of: GroundingRecord.self) {
                let image = images.file(entry.record.image)
                references += entry.record.texts.map {
                    Reference(
                        image: image, text: $0, record: entry.record, place: entry.place,
                        file: path)
                }
            }
            let found = try missing.filter(references, of: path, limit: limit) { [$0.image] }
            for reference in found.items { items.append(try check.item(reference)) }
            missingCount += found.missing
        }
    }
}

/// A text of a record, before its boxes are checked.
private struct Reference: BenchmarkItem {
    let image: FilePath
    let text: String
    let record: GroundingRecord
    let place: RecordPlace
    let file: FilePath

    var entry: String { "\(place)" }
}

/// Checks that boxes are inside their images; each image is read once.
private struct BoxCheck {
    let proposals: BoxProposals?
    private var sizes: [FilePath: (width: Int, height: Int)] = [:]
    /// The images whose proposals were checked, with the keys of these.
    private var checked: [FilePath: Set<String>] = [:]

    init(proposals: BoxProposals?) { self.proposals = proposals }

    mutating func item(_ reference: Reference) throws(DatasetError) -> GroundingItem {
        let record = reference.record
        let size = try size(of: reference)
        guard record.box.isInside(width: size.width, height: size.height) else {
            throw reference.place.error(
                reference.file, "bbox",
                record.box.fault(
                    beyond: reference.image, width: size.width, height: size.height))
        }
        return GroundingItem(
            image: reference.image, imageWidth: size.width, imageHeight: size.height,
            text: reference.text, box: record.box, proposals: try boxes(for: reference, size),
            id: record.id, split: record.split, file: reference.file, entry: reference.entry)
    }

    private mutating func size(
        of reference: Reference
    ) throws(DatasetError) -> (width: Int, height: Int) {
        if let size = sizes[reference.image] { return size }
        let bytes: [UInt8]
        do {
            bytes = try ImageLoader.bytes(of: reference.image)
        } catch {
            throw reference.place.error(reference.file, "image", "\(error)")
        }
        let facts = ImageFacts(of: bytes)
        guard let width = facts.width, let height = facts.height else {
            throw reference.place.error(
                reference.file, "image", "\(reference.image): the size of the image is unknown")
        }
        sizes[reference.image] = (width, height)
        return (width, height)
    }

    private mutating func boxes(
        for reference: Reference, _ size: (width: Int, height: Int)
    ) throws(DatasetError) -> [BoundingBox] {
        guard let proposals else { return [] }
        let record = reference.record
        guard let key = proposals.key(ofImage: record.image, id: record.imageID),
            let boxes = proposals.boxes[key]
        else {
            let (field, name) =
                record.imageID.map { ("image_id", "\($0)") } ?? ("image", record.image)
            throw reference.place.error(
                reference.file, field, "'\(name)' has no boxes in \(proposals.file)")
        }
        guard checked[reference.image, default: []].insert(key).inserted else { return boxes }
        try proposals.check(
            boxes, named: key, image: reference.image, width: size.width, height: size.height)
        return boxes
    }
}

/// A record of a grounding test.
private struct GroundingRecord: Decodable {
    let image: String
    let imageID: RecordID?
    let texts: [String]
    let box: BoundingBox
    let id: RecordID?
    let split: String?

    private enum Field: String, CodingKey {
        case image, text, split
        case box = "bbox"
        case id = "ref_id"
        case imageID = "image_id"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        image = try fields.text(.image)
        texts = try fields.decode(OneOrMoreTexts.self, forKey: .text).texts
        guard !texts.isEmpty else { throw fields.fault(.text, "has no text") }
        for text in texts where text.allSatisfy(\.isWhitespace) {
            throw fields.fault(.text, "contains a blank text")
        }
        guard fields.contains(.box) else {
            throw fields.fault(
                .box, "is missing; add the box [x, y, width, height] that the text refers to")
        }
        box = try fields.decode(AnnotatedBox.self, forKey: .box).box
        id = try fields.decodeIfPresent(RecordID.self, forKey: .id)
        imageID = try fields.decodeIfPresent(RecordID.self, forKey: .imageID)
        split = try fields.decodeIfPresent(String.self, forKey: .split)
    }
}
