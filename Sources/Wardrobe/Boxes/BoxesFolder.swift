import ImageText
public import SystemPackage

/// The data of a ``BoxesTask`` in a folder.
///
///     box-scenes.jsonl               one line per image: its name and what it shows
///     images/00000.png …             the images, those of training first
///     captions-train.json, captions-test.json  `CaptionDataset`
///     nlvr-train.json, nlvr-test.json          `NLVRDataset`
///     words.txt                      all texts of training, for a vocabulary
public struct BoxesFolder: Sendable {
    /// The path of the folder.
    public let path: FilePath
    /// The side of the images in pixels.
    public let side: Int

    /// Creates a folder to be written.
    ///
    /// - Parameters:
    ///   - path: The path of the folder.
    ///   - side: The side of the images in pixels; 64 by default.
    public init(_ path: FilePath, side: Int = 64) {
        self.path = path
        self.side = side
    }

    /// Writes images and annotations, and replaces those of an earlier call.
    ///
    /// The annotations are written last, so their presence means that the data are complete.
    ///
    /// - Parameters:
    ///   - task: The data.
    ///   - progress: Called with the number of images done.
    /// - Throws: `DatasetError` if the folder holds other images or annotations; `ImageError` if an
    ///   image cannot be rendered; `CocoaError` if a file cannot be written; `CancellationError`.
    public func write(
        _ task: BoxesTask, progress: (Int) -> Void = { _ in }
    ) async throws {
        let folder = DrawnFolder(
            path: path, marker: "box-scenes.jsonl",
            outputs: ["words.txt"]
                + ["captions", "nlvr"].flatMap { ["\($0)-train.json", "\($0)-test.json"] },
            format: .png)
        let side = side
        let scenes = task.training.scenes + task.test.scenes
        try folder.prepare()
        try folder.write(
            lines: scenes.enumerated().map { Line(image: folder.name($0), boxes: $1.boxes) },
            to: folder.marker)
        try await folder.draw(scenes.count, progress: progress) { index in
            try scenes[index].image(side: side)
        }
        try folder.write(
            texts: task.training.captions.joined() + task.training.pairs.map(\.sentence),
            to: "words.txt")
        for (part, name, first) in [
            (task.training, "train", 0), (task.test, "test", task.training.scenes.count),
        ] {
            try folder.write(
                list: part.captions.enumerated().map {
                    CaptionRecord(image: folder.name(first + $0), caption: $1)
                }, to: "captions-\(name).json")
            try folder.write(
                list: part.pairs.map { pair in
                    PairRecord(
                        images: pair.scenes.map { folder.name(first + $0) },
                        sentence: pair.sentence, isTrue: pair.isTrue)
                }, to: "nlvr-\(name).json")
        }
    }

    private struct CaptionRecord: Encodable {
        let image: String
        let caption: [String]
    }

    private struct Line: Encodable {
        let image: String
        let boxes: [[BoxesScene.Item?]]
    }
}
