internal import Foundation
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

    private static let scenes = "scenes.jsonl"

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
        let folder = URL(filePath: path.string)
        try prepare(folder)
        try writeScenes(scenes, folder)
        let side = side
        let atOnce = 64
        for start in stride(from: 0, to: scenes.count, by: atOnce) {
            let end = min(start + atOnce, scenes.count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in start..<end {
                    group.addTask {
                        let image = try scenes[index].image(side: side)
                        let name = Self.name(index)
                        let bytes = try JPEGEncoder.encode(image, quality: 92, named: name)
                        try Data(bytes).write(to: folder.appending(path: name))
                    }
                }
                try await group.waitForAll()
            }
            try Task.checkCancellation()
            progress(end)
        }
        try removeImages(from: scenes.count, folder)
        for language in WardrobeLanguage.allCases {
            try writeAnnotations(scenes, language, seed: seed, folder)
        }
    }

    /// Creates the folder, and removes the annotations of an earlier call.
    ///
    /// The list of scenes is the first file written, so it marks a folder as a data set of scenes.
    private func prepare(_ folder: URL) throws {
        let annotations = WardrobeLanguage.allCases.map(Self.annotations)
        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: folder.appending(path: name).path)
        }
        guard exists(Self.scenes) || !(annotations + ["images"]).contains(where: exists) else {
            throw DatasetError.occupied(path)
        }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "images"), withIntermediateDirectories: true)
        for name in annotations where exists(name) {
            try FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }

    /// Removes the images of an earlier call whose index is `first` or greater.
    private func removeImages(from first: Int, _ folder: URL) throws {
        var index = first
        while FileManager.default.fileExists(
            atPath: folder.appending(path: Self.name(index)).path)
        {
            try FileManager.default.removeItem(at: folder.appending(path: Self.name(index)))
            index += 1
        }
    }

    /// Returns the path of an image inside the folder.
    public static func name(_ index: Int) -> String {
        let digits = String(index)
        return "images/\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).jpg"
    }

    private struct Annotation: Encodable {
        let image: String
        let caption: [String]
    }

    private struct Line: Encodable {
        let image: String
        let scene: WardrobeScene
    }

    private func writeAnnotations(
        _ scenes: [WardrobeScene], _ language: WardrobeLanguage, seed: UInt64, _ folder: URL
    ) throws {
        let annotations = scenes.enumerated().map { index, scene in
            // One stream for both languages, so that their captions have the same contents.
            var random = SplitMix64(seed: seed, stream: index)
            return Annotation(
                image: Self.name(index),
                caption: WardrobeCaptions.captions(
                    of: scene, in: language, isBrief: isBrief, &random))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        try encoder.encode(annotations).write(
            to: folder.appending(path: Self.annotations(language)), options: .atomic)
    }

    private func writeScenes(_ scenes: [WardrobeScene], _ folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var lines = Data()
        for (index, scene) in scenes.enumerated() {
            lines += try encoder.encode(Line(image: Self.name(index), scene: scene))
            lines.append(UInt8(ascii: "\n"))
        }
        try lines.write(to: folder.appending(path: Self.scenes), options: .atomic)
    }
}
