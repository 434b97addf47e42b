public import SystemPackage

/// Questions about images, read from the original's annotation files of VQA.
///
/// A file is a JSON list of records, or one record per line. A record of training has an answer, or
/// a list of answers:
///
/// ```json
/// {"image": "val2014/COCO_val2014_000000262148.jpg", "question": "Where is he looking?",
///  "answer": ["down", "down", "at table", "skateboard", "down"], "dataset": "vqa",
///  "question_id": 262148000}
/// ```
///
/// `dataset` is `vqa`, which is also its default, or `vg`, for Visual Genome. A record of a test
/// needs `question_id`, and no answers. The names of images may lack their extension.
public struct QuestionDataset: Sendable {
    /// The items, in the order of the files.
    public private(set) var items: [QuestionItem]
    /// The number of items left out because their image does not exist.
    public private(set) var missingCount: Int

    /// Creates a data set of the given items.
    public init(items: [QuestionItem]) {
        self.items = items
        missingCount = 0
    }

    /// Reads several annotation files, in order.
    ///
    /// - Parameters:
    ///   - files: The annotation files.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     each annotation file.
    ///   - visualGenomeRoot: The same for records of Visual Genome; `imageRoot` by default.
    ///   - isTest: Whether the questions are to be answered: they may lack answers, but each needs
    ///     a `question_id` of its own. By default they need answers.
    ///   - limit: The number of items to keep from the beginning of each file; 0 for all.
    ///   - missing: The treatment of items whose image does not exist.
    /// - Throws: ``DatasetError``, which names the file, the record and the field.
    /// - Complexity: O(*n*) for *n* bytes of annotations; images are not opened.
    public init(
        reading files: [FilePath], imageRoot: FilePath? = nil, visualGenomeRoot: FilePath? = nil,
        isTest: Bool = false, limit: Int = 0, missing: MissingImages = .refused
    ) throws(DatasetError) {
        self.init(items: [])
        var identifiers = QuestionIdentifiers()
        for path in files {
            let file = TaskFile(
                path: path,
                fields: isTest
                    ? "image, question and question_id" : "image, question and answer")
            var images = file.images(in: imageRoot)
            var genomeImages = file.images(in: visualGenomeRoot ?? imageRoot)
            var read: [QuestionItem] = []
            for entry in try file.entries(of: QuestionRecord.self) {
                let record = entry.record
                let item = QuestionItem(
                    image: record.source == .visualGenome
                        ? genomeImages.file(record.image) : images.file(record.image),
                    question: record.question, answers: record.answers ?? [],
                    source: record.source, id: record.id, file: path, entry: "\(entry.place)")
                if isTest {
                    try identifiers.add(item, at: entry.place)
                } else if record.answers == nil {
                    throw entry.place.error(path, "answer", "is missing")
                }
                read.append(item)
            }
            let found = try missing.filter(read, of: path, limit: limit) { [$0.image] }
            items += found.items
            missingCount += found.missing
        }
    }
}

/// The identifiers of the questions of a test, which are all different.
private struct QuestionIdentifiers {
    private var owners: [RecordID: (file: FilePath, entry: String)] = [:]

    mutating func add(_ item: QuestionItem, at place: RecordPlace) throws(DatasetError) {
        guard let id = item.id else {
            throw place.error(
                item.file, "question_id", "is missing; the answer of a test is known by it")
        }
        if let owner = owners[id] {
            let other = owner.file == item.file ? owner.entry : "\(owner.file): \(owner.entry)"
            throw place.error(item.file, "question_id", "\(id) is already the one of \(other)")
        }
        owners[id] = (item.file, item.entry)
    }
}

/// A record of VQA.
private struct QuestionRecord: Decodable {
    let image, question: String
    let answers: [String]?
    let source: QuestionItem.Source
    let id: RecordID?

    private enum Field: String, CodingKey {
        case image, question, answer, dataset
        case id = "question_id"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        image = try fields.text(.image)
        question = try fields.text(.question)
        answers = try fields.decodeIfPresent(OneOrMoreTexts.self, forKey: .answer)?.texts
        if let answers {
            guard !answers.isEmpty else { throw fields.fault(.answer, "has no answer") }
            guard !answers.allSatisfy({ $0.allSatisfy(\.isWhitespace) }) else {
                throw fields.fault(.answer, "has only blank answers")
            }
        }
        id = try fields.decodeIfPresent(RecordID.self, forKey: .id)
        guard let name = try fields.decodeIfPresent(String.self, forKey: .dataset) else {
            source = .vqa
            return
        }
        guard let source = QuestionItem.Source(rawValue: name) else {
            throw fields.fault(.dataset, "is '\(name)'; a question is of vqa or vg")
        }
        self.source = source
    }
}
