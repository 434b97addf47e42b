import ImageText
public import SystemPackage

/// Statements about two images of boxes with shapes, in the form of NLVR2.
///
/// A statement counts, relates places or binds colours to shapes. Two pairs of images and two
/// statements make four items: each statement is true of one pair and false of the other, and of
/// each pair one statement is true. The images have the same shapes and colours in both cases. So
/// neither the words nor the images alone tell the label, and a list of what is there does not
/// either. Equal seeds and numbers give equal images and statements on every platform.
public struct BoxesTask: Sendable {
    /// Images, and what is said about them.
    public struct Part: Sendable, Hashable {
        /// The images.
        public var scenes: [BoxesScene] = []
        /// The statements; their numbers of scenes are those of ``scenes``.
        public var pairs: [WardrobeTasks.Pair] = []
    }

    /// The items to learn from.
    public let training: Part
    /// The items of the test, a tenth of all.
    public let test: Part

    /// Draws images and statements.
    ///
    /// - Parameters:
    ///   - seed: The seed, which no other data set should share.
    ///   - count: The number of items; rounded up to a multiple of 4, and at least 8.
    public init(seed: UInt64, items count: Int) {
        let groups = Swift.max(2, (count + 3) / 4)
        let tests = Swift.max(1, groups / 10)
        training = Self.part(seed: seed, stream: 0, groups: groups - tests)
        test = Self.part(seed: seed, stream: 1, groups: tests)
    }

    private static func part(seed: UInt64, stream: Int, groups: Int) -> Part {
        var part = Part()
        let kinds = BoxesContrast.Kind.allCases
        for index in 0..<groups {
            var random = SplitMix64(seed: seed, stream: stream, index)
            let contrast = BoxesContrast(kinds[index % kinds.count], &random)
            let pairs = [contrast.firstImages, contrast.secondImages].map { images in
                [part.place(of: images.left), part.place(of: images.right)]
            }
            for (statement, isFirst) in [(contrast.first, true), (contrast.second, false)] {
                for (scenes, isTrue) in zip(pairs, [isFirst, !isFirst]) {
                    part.pairs.append(
                        .init(scenes: scenes, sentence: statement.text, isTrue: isTrue))
                }
            }
        }
        return part
    }
}

extension BoxesTask.Part {
    /// Returns the number of a scene, and adds it if it is not among the last few.
    fileprivate mutating func place(of scene: BoxesScene) -> Int {
        // A group uses an image several times, which is drawn once.
        if let place = scenes.suffix(3).lastIndex(of: scene) { return place }
        scenes.append(scene)
        return scenes.count - 1
    }
}

/// The data of a ``BoxesTask`` in a folder.
///
///     box-scenes.jsonl               one line per image: its name and what it shows
///     images/00000.png …             the images, those of training first
///     nlvr-train.json, nlvr-test.json  `NLVRDataset`
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
            path: path, marker: "box-scenes.jsonl", outputs: ["nlvr-train.json", "nlvr-test.json"],
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
        for (part, name, first) in [
            (task.training, "train", 0), (task.test, "test", task.training.scenes.count),
        ] {
            try folder.write(
                list: part.pairs.map { pair in
                    PairRecord(
                        images: pair.scenes.map { folder.name(first + $0) },
                        sentence: pair.sentence, isTrue: pair.isTrue)
                }, to: "nlvr-\(name).json")
        }
    }

    private struct Line: Encodable {
        let image: String
        let boxes: [[BoxesScene.Item?]]
    }
}
