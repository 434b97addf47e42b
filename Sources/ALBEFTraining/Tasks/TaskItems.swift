import ALBEF
public import ImageText
public import SystemPackage

extension ALBEFConfiguration.Task {
    /// Whether the training data are items in the shape of a downstream task, not images with
    /// captions.
    var readsItems: Bool { self == .vqa || classNames != nil }

    /// The classes of the task in the order of the model's logits; nil if it has none.
    package var classNames: [String]? {
        switch self {
        case .entailment: EntailmentLabel.allCases.map(\.name)
        case .nlvr: ["false", "true"]
        default: nil
        }
    }
}

/// A text with one image or two, and its class: the item of visual entailment and of NLVR2.
public struct ClassificationItem: Sendable, Hashable {
    /// The image's file, or the files of the first and of the second image.
    public var images: [FilePath]
    /// The sentence as annotated.
    public var sentence: String
    /// The class: 0 to 2 for contradiction, neutral and entailment; 0 and 1 for false and true.
    public var label: Int
    /// The annotation file that the item comes from.
    public var file: FilePath
    /// The place of the item in that file.
    public var entry: String

    /// Creates the item of a sentence and an image.
    public init(_ item: EntailmentItem) {
        images = [item.image]
        sentence = item.sentence
        label = item.label.rawValue
        file = item.file
        entry = item.entry
    }

    /// Creates the item of a sentence and two images.
    public init(_ item: NLVRItem) {
        images = item.images
        sentence = item.sentence
        label = item.isTrue ? 1 : 0
        file = item.file
        entry = item.entry
    }
}

/// The items of a downstream task.
enum TaskItems: Sendable {
    /// Sentences with classes.
    case sentences([ClassificationItem])
    /// Questions with answers.
    case questions([QuestionItem])

    /// The image files of each item.
    var images: [[FilePath]] {
        switch self {
        case .sentences(let items): items.map(\.images)
        case .questions(let items): items.map { [$0.image] }
        }
    }

    /// Reads the annotations of a task.
    ///
    /// - Throws: `DatasetError` that names the file, the record and the field.
    init(_ files: [String], _ configuration: TrainingConfiguration) throws {
        let paths = files.map { FilePath($0) }
        let root = configuration.data.images.map { FilePath($0) }
        switch configuration.model.task {
        case .entailment:
            let data = try EntailmentDataset(reading: paths, imageRoot: root)
            self = .sentences(data.items.map(ClassificationItem.init))
        case .nlvr:
            let data = try NLVRDataset(reading: paths, imageRoot: root)
            self = .sentences(data.items.map(ClassificationItem.init))
        default:
            self = .questions(
                try QuestionDataset(
                    reading: paths, imageRoot: root,
                    visualGenomeRoot: configuration.data.genomeImages.map { FilePath($0) }
                ).items)
        }
    }

    /// Returns the first items; 0 for all.
    func prefix(_ limit: Int) -> TaskItems {
        guard limit > 0 else { return self }
        switch self {
        case .sentences(let items): return .sentences(Array(items.prefix(limit)))
        case .questions(let items): return .questions(Array(items.prefix(limit)))
        }
    }
}
