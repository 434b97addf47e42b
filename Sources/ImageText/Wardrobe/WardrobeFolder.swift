internal import Foundation
public import SystemPackage

/// Writes scenes as a data set: pictures, annotations in each language, and what the scenes show.
///
///     images/00000.jpg …   the pictures
///     en.json, zh.json     ALBEF's JSON list, several captions a picture
///     scenes.jsonl         a line a picture: its name and its scene
public struct WardrobeFolder: Sendable {
    /// Where it is.
    public let path: FilePath
    /// Side of the pictures in pixels.
    public let side: Int
    /// Whether captions of one outfit and of the small thing are there several times, so that training
    /// draws them more often.
    public let isBrief: Bool

    /// The annotations of a language.
    public static func annotations(_ language: WardrobeLanguage) -> String {
        "\(language.rawValue).json"
    }

    /// A folder to be written.
    ///
    /// - Parameters:
    ///   - side: side of the pictures in pixels; default 128.
    ///   - isBrief: see ``isBrief``; default false.
    public init(_ path: FilePath, side: Int = 128, isBrief: Bool = false) {
        self.path = path
        self.side = side
        self.isBrief = isBrief
    }

    /// Writes scenes; an earlier data set of this kind is replaced.
    ///
    /// The annotations come last: where they are, everything is.
    ///
    /// - Parameters:
    ///   - scenes: what to draw.
    ///   - seed: decides what captions tell, and how.
    ///   - progress: told the pictures done.
    /// - Throws: ``DatasetError`` where anything else is in the folder; ``ImageError`` where pictures cannot be rendered; `CocoaError` where files cannot be
    ///   written; `CancellationError`.
    public func write(
        _ scenes: [WardrobeScene], seed: UInt64, progress: (Int) -> Void = { _ in }
    ) async throws {
        let folder = URL(filePath: path.string)
        if let name = Self.obstacle(at: path) { throw DatasetError.occupied(path, by: name) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: Self.imagesName), withIntermediateDirectories: true)
        for language in WardrobeLanguage.allCases {
            try? FileManager.default.removeItem(
                at: folder.appending(path: Self.annotations(language)))
        }
        let side = side
        let atOnce = 64
        for start in stride(from: 0, to: scenes.count, by: atOnce) {
            let end = min(start + atOnce, scenes.count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in start..<end {
                    group.addTask {
                        let picture = try scenes[index].picture(side: side)
                        let name = Self.name(index)
                        let bytes = try JPEGEncoder.encode(picture, quality: 92, named: name)
                        try Data(bytes).write(to: folder.appending(path: name))
                    }
                }
                try await group.waitForAll()
            }
            try Task.checkCancellation()
            progress(end)
        }
        try writeScenes(scenes, folder)
        for language in WardrobeLanguage.allCases {
            try writeAnnotations(scenes, language, seed: seed, folder)
        }
    }

    /// What keeps a folder from being written: a file that is not part of a data set of this kind;
    /// nil where nothing does, or nothing is there.
    ///
    /// A data set has its list of scenes, and one that was interrupted has images alone.
    public static func obstacle(at path: FilePath) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
        let isWhole = names.contains(scenesName)
        let known = WardrobeLanguage.allCases.map(annotations) + [scenesName]
        return names.sorted().first { name in
            name != imagesName && !(isWhole && known.contains(name))
        }
    }

    private static let imagesName = "images"
    private static let scenesName = "scenes.jsonl"

    /// The picture's path inside the folder.
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
            // One stream for both languages: they tell the same of the same scene.
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
        try lines.write(to: folder.appending(path: Self.scenesName), options: .atomic)
    }
}
