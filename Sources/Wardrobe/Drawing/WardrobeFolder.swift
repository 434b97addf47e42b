import ImageText
public import SystemPackage

/// A data set of scenes in a folder: images, annotations in each language, and the scenes.
///
///     scenes.jsonl         one line per image: its name and its scene
///     images/00000.jpg …   the images
///     en.json, zh.json     ALBEF's JSON list, with several captions per image
public struct WardrobeFolder: Sendable {
    /// The path of the folder.
    public let path: FilePath
    /// The side of the images in pixels.
    public let side: Int
    /// Whether captions of single outfits and of the small thing are repeated, so that training
    /// draws them more often.
    public let isBrief: Bool

    /// Returns the file name of a language's annotations.
    public static func annotations(_ language: WardrobeLanguage) -> String {
        "\(language.rawValue).json"
    }

    /// Creates a folder to be written.
    ///
    /// - Parameters:
    ///   - path: the path of the folder.
    ///   - side: the side of the images in pixels; 128 by default.
    ///   - isBrief: see ``isBrief``; `false` by default.
    public init(_ path: FilePath, side: Int = 128, isBrief: Bool = false) {
        self.path = path
        self.side = side
        self.isBrief = isBrief
    }

    /// Writes scenes and replaces those of an earlier call.
    ///
    /// The annotations are written last, so their presence means that the data set is complete.
    ///
    /// - Parameters:
    ///   - scenes: the scenes to draw.
    ///   - seed: the seed of the captions' contents and phrasing.
    ///   - progress: called with the number of images done.
    /// - Throws: `DatasetError` if the folder holds other images or annotations; `ImageError` if an
    ///   image cannot be rendered; `CocoaError` if a file cannot be written; `CancellationError`.
    public func write(
        _ scenes: [WardrobeScene], seed: UInt64, progress: (Int) -> Void = { _ in }
    ) async throws {
        let side = side
        try folder.prepare()
        try folder.write(
            lines: scenes.enumerated().map { Line(image: Self.name($0), scene: $1) },
            to: folder.marker)
        try await folder.draw(scenes.count, progress: progress) { index in
            try scenes[index].image(side: side)
        }
        for language in WardrobeLanguage.allCases {
            try writeAnnotations(scenes, language, seed: seed)
        }
    }

    private var folder: DrawnFolder { Self.folder(path) }

    private static func folder(_ path: FilePath) -> DrawnFolder {
        DrawnFolder(
            path: path, marker: "scenes.jsonl",
            outputs: WardrobeLanguage.allCases.map(annotations))
    }

    /// Returns the path of an image inside the folder.
    public static func name(_ index: Int) -> String { folder("").name(index) }

    private struct Annotation: Encodable {
        let image: String
        let caption: [String]
    }

    private struct Line: Encodable {
        let image: String
        let scene: WardrobeScene
    }

    private func writeAnnotations(
        _ scenes: [WardrobeScene], _ language: WardrobeLanguage, seed: UInt64
    ) throws {
        let annotations = scenes.enumerated().map { index, scene in
            // One stream for both languages, so that their captions have the same contents.
            var random = SplitMix64(seed: seed, stream: index)
            return Annotation(
                image: Self.name(index),
                caption: WardrobeCaptions.captions(
                    of: scene, in: language, isBrief: isBrief, &random))
        }
        try folder.write(annotations, to: Self.annotations(language))
    }
}
