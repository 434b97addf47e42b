import Storage
import ALBEF
import ALBEFTraining
import ArgumentParser
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// What the commands share that read a benchmark of images with texts of their own.
struct BenchmarkOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Annotations, in any of the forms above.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Where relative image paths start; default: each file's own folder.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Flag(help: "Leave out items whose images are missing or damaged, and say how many.")
    var skipMissing = false

    @Option(
        help: ArgumentHelp("Use the first n items of each file only; 0 for all.", valueName: "n"))
    var limit = 0

    @Option(
        help: ArgumentHelp(
            "What the fusion encoder's answers are ordered by.", valueName: "score"))
    var ranking = RankingScore.matching

    @Option(
        help: ArgumentHelp(
            "Write every item with all its scores, as JSON Lines.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Print the outcome as JSON.")
    var json = false

    func validate() throws { try NumberBounds.check("--limit", limit, 0...1_000_000_000) }

    /// The files.
    var paths: [FilePath] { files.map { FilePath($0) } }
    /// Where relative image paths start.
    var imageRoot: FilePath? { images.map { FilePath($0) } }
    /// What becomes of items without an image.
    var missing: MissingImages { skipMissing ? .skipped : .refused }
    /// What errors call the data.
    var source: String { files.joined(separator: ", ") }

    /// What a model's fusion encoder is asked for; nil, with a remark, where it was not trained.
    func ranking(_ model: SearchModel) -> RankingScore? {
        if model.matches { return ranking }
        Console.note("note: this model was not trained to match; the towers alone are measured")
        return nil
    }

    /// The file for details, made before the work so that a wrong path is known at once.
    func detailsFile() throws -> DetailsFile? { try output.map { try DetailsFile(FilePath($0)) } }

    /// Says what was left out.
    ///
    /// - Parameters:
    ///   - what: what was left out, such as `items`.
    ///   - missing: how many have no image.
    ///   - unreadable: images that are damaged.
    ///   - damaged: how many have one of those.
    func note(leftOut what: String, missing: Int, unreadable: [ImageError], damaged: Int) {
        if missing > 0 {
            Console.note("note: \(missing) \(what) left out, whose images are missing")
        }
        guard !unreadable.isEmpty else { return }
        Console.note(
            "note: \(damaged) \(what) left out, of which \(unreadable.count) images cannot be read:"
        )
        for error in unreadable.prefix(5) { Console.note("  " + error.description.displayed) }
    }
}

/// A file of JSON Lines that appears when it is complete.
struct DetailsFile {
    private let file: AtomicFile
    private let encoder = JSONEncoder()

    init(_ path: FilePath) throws {
        file = try AtomicFile(path)
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// Writes all lines.
    func write(_ lines: some Sequence<some Encodable>) throws {
        for line in lines {
            try (encoder.encode(line) + Data("\n".utf8)).withUnsafeBytes { try file.write($0) }
        }
        try file.commit()
    }
}
