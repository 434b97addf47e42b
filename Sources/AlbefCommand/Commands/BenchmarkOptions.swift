import ALBEF
import ALBEFTraining
import ArgumentParser
import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage

/// The options of the commands that read a benchmark of images and texts.
struct BenchmarkOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Annotations, in any of the formats above.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: each file's own.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Flag(help: "Leave out items whose images are missing or damaged, and report how many.")
    var skipMissing = false

    @Option(
        help: ArgumentHelp("Use only the first n items of each file; 0 for all.", valueName: "n"))
    var limit = 0

    @Option(
        help: ArgumentHelp(
            "The score that orders the fusion encoder's answers.", valueName: "score"))
    var ranking = RankingScore.matching

    @Option(
        help: ArgumentHelp(
            "Write every item with all its scores, as JSON Lines.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws { try NumberBounds.check("--limit", limit, 0...1_000_000_000) }

    /// The annotation files.
    var paths: [FilePath] { files.map { FilePath($0) } }
    /// The folder that relative image paths start from.
    var imageRoot: FilePath? { images.map { FilePath($0) } }
    /// How to treat items without an image.
    var missing: MissingImages { skipMissing ? .skipped : .refused }
    /// The name of the data in error messages.
    var source: String { files.joined(separator: ", ") }

    /// Returns the score of the fusion encoder to measure; if the model was not trained to match,
    /// notes that and returns nil.
    func ranking(_ model: SearchModel) -> RankingScore? {
        if model.matches { return ranking }
        Console.note("note: this model was not trained to match; the towers alone are measured")
        return nil
    }

    /// Creates the file for details before the work starts, so that a wrong path fails early.
    func detailsFile() throws -> DetailsFile? { try output.map { try DetailsFile(FilePath($0)) } }

    /// Reports what was left out.
    ///
    /// - Parameters:
    ///   - what: the name of the items, such as `pairs`.
    ///   - missing: the number of items whose image is missing.
    ///   - unreadable: the errors of damaged images.
    ///   - damaged: the number of items with a damaged image.
    func note(leftOut what: String, missing: Int, unreadable: [ImageError], damaged: Int) {
        if missing > 0 {
            Console.note("note: left out \(missing) \(what) whose images are missing")
        }
        guard !unreadable.isEmpty else { return }
        Console.note(
            "note: left out \(damaged) \(what); \(unreadable.count) images cannot be read:"
        )
        for error in unreadable.prefix(5) { Console.note("  " + error.description.displayed) }
    }
}

/// A file of JSON Lines that appears only when it is complete.
struct DetailsFile {
    private let file: AtomicFile
    private let encoder = JSONEncoder()

    init(_ path: FilePath) throws {
        file = try AtomicFile(path)
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// Writes all lines, and moves the file into place.
    func write(_ lines: some Sequence<some Encodable>) throws {
        for line in lines {
            try (encoder.encode(line) + Data("\n".utf8)).withUnsafeBytes { try file.write($0) }
        }
        try file.commit()
    }
}
