import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage

/// The options of the commands that read a benchmark of images and texts.
struct BenchmarkOptions: ParsableArguments {
    @OptionGroup var data: AnnotationOptions

    @Option(
        help: ArgumentHelp(
            "The score that orders the fusion encoder's answers.", valueName: "score"))
    var ranking = RankingScore.matching

    @Option(
        help: ArgumentHelp(
            "Write every item with all its scores, as JSON Lines.", valueName: "file"),
        completion: .file())
    var output: String?

    /// Returns the score of the fusion encoder to measure; if the model was not trained to match,
    /// notes that and returns nil.
    func ranking(_ model: SearchModel) -> RankingScore? {
        if model.matches { return ranking }
        Console.note("note: this model was not trained to match; the towers alone are measured")
        return nil
    }

    /// Creates the file for details before the work starts, so that a wrong path fails early.
    func detailsFile() throws -> DetailsFile? { try output.map { try DetailsFile(FilePath($0)) } }
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
