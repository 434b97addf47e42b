import ImageText
public import SystemPackage

/// The data of ``WardrobeTasks`` in a folder, as the readers of `ImageText` expect it.
///
///     task-scenes.jsonl                             one line per image: its name and its scene
///     images/00000.jpg …                            the images, those of training first
///     questions-train.json, questions-test.json     `QuestionDataset`, both with answers
///     answers.json                                  `AnswerChoices`
///     entailment-train.json, entailment-test.json   `EntailmentDataset`
///     nlvr-train.json, nlvr-test.json               `NLVRDataset`
///     grounding-train.json                          `CaptionDataset`: texts without boxes
///     grounding-test.json                           `GroundingDataset`
///     proposals.json                                `BoxProposals`, of all images
public struct WardrobeTasksFolder: Sendable {
    /// The path of the folder.
    public let path: FilePath
    /// The side of the images in pixels.
    public let side: Int

    /// Creates a folder to be written.
    ///
    /// - Parameters:
    ///   - path: The path of the folder.
    ///   - side: The side of the images in pixels; 128 by default.
    public init(_ path: FilePath, side: Int = 128) {
        self.path = path
        self.side = side
    }

    private var folder: DrawnFolder {
        let tasks = ["questions", "entailment", "nlvr", "grounding"]
        return DrawnFolder(
            path: path, marker: "task-scenes.jsonl",
            outputs: tasks.flatMap { ["\($0)-train.json", "\($0)-test.json"] }
                + ["answers.json", "proposals.json"])
    }

    /// Writes images and annotations, and replaces those of an earlier call.
    ///
    /// The annotations are written last, so their presence means that the data are complete.
    ///
    /// - Parameters:
    ///   - tasks: The data.
    ///   - seed: The seed of the boxes around nothing among the proposals.
    ///   - progress: Called with the number of images done.
    /// - Throws: `DatasetError` if the folder holds other images or annotations; `ImageError` if an
    ///   image cannot be rendered; `CocoaError` if a file cannot be written; `CancellationError`.
    public func write(
        _ tasks: WardrobeTasks, seed: UInt64, progress: (Int) -> Void = { _ in }
    ) async throws {
        let (folder, side) = (folder, side)
        let scenes = tasks.training.scenes + tasks.test.scenes
        try folder.prepare()
        try folder.write(
            lines: scenes.enumerated().map { Line(image: folder.name($0), scene: $1) },
            to: folder.marker)
        try await folder.draw(scenes.count, progress: progress) { index in
            try scenes[index].image(side: side)
        }
        try writeProposals(scenes, seed: seed)
        try folder.write(list: WardrobeTasks.answers, to: "answers.json")
        try write(tasks.training, "train", firstImage: 0)
        try write(tasks.test, "test", firstImage: tasks.training.scenes.count)
    }

    private func writeProposals(_ scenes: [WardrobeScene], seed: UInt64) throws {
        var proposals: [String: [[Double]]] = [:]
        for (index, scene) in scenes.enumerated() {
            var random = SplitMix64(seed: seed, stream: 2, index)
            proposals[folder.name(index)] = scene.proposals(side: side, &random).map(Self.numbers)
        }
        try folder.write(proposals, to: "proposals.json")
    }

    /// Writes the annotations of a part.
    private func write(_ part: WardrobeTasks.Part, _ name: String, firstImage: Int) throws {
        func image(_ scene: Int) -> String { folder.name(firstImage + scene) }
        try folder.write(
            list: part.questions.enumerated().map {
                Question(
                    image: image($1.scene), question: $1.text, answer: $1.answer, kind: $1.kind,
                    question_id: $0)
            }, to: "questions-\(name).json")
        try folder.write(
            list: part.hypotheses.map {
                Hypothesis(image: image($0.scene), sentence: $0.sentence, label: $0.label.name)
            }, to: "entailment-\(name).json")
        try folder.write(
            list: part.pairs.map {
                PairRecord(
                    images: $0.scenes.map(image), sentence: $0.sentence, isTrue: $0.isTrue)
            }, to: "nlvr-\(name).json")
        let isTest = name == "test"
        try folder.write(
            list: part.references.enumerated().map { index, reference in
                Reference(
                    image: image(reference.scene), text: reference.text,
                    bbox: isTest
                        ? reference.box(in: part.scenes, side: side).map(Self.numbers) : nil,
                    ref_id: isTest ? index : nil)
            }, to: "grounding-\(name).json")
    }

    /// Returns a box in hundredths of a pixel, as annotations list it.
    private static func numbers(_ box: BoundingBox) -> [Double] {
        [box.x, box.y, box.width, box.height].map { ($0 * 100).rounded() / 100 }
    }

    private struct Line: Encodable {
        let image: String
        let scene: WardrobeScene
    }

    // The names of the fields are those of the original's files.
    private struct Question: Encodable {
        let image, question, answer, kind: String
        let question_id: Int
    }

    private struct Hypothesis: Encodable {
        let image, sentence, label: String
    }

    private struct Reference: Encodable {
        let image, text: String
        let bbox: [Double]?
        let ref_id: Int?
    }
}

/// A record of NLVR2.
struct PairRecord: Encodable {
    let images: [String]
    let sentence, label: String

    init(images: [String], sentence: String, isTrue: Bool) {
        self.images = images
        self.sentence = sentence
        label = isTrue ? "True" : "False"
    }
}
