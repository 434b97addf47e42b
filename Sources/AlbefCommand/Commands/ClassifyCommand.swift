import ALBEF
import ArgumentParser
import CommandSupport
import Foundation
import Retrieval
import SystemPackage

/// `albef classify`: scores labels for images, without training.
struct ClassifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Choose the labels that fit images, without training.",
        discussion: """
            Inserts every label into a template, and compares the images with these texts by the \
            two towers. Several templates are averaged. The numbers are shares among the labels; \
            SigLIP gives each label an independent probability instead.

              albef classify dog.jpg cat.jpg --labels dog,cat,horse --model model
              albef classify *.jpg --labels 狗,猫 --template "一张{}的照片" --model model
            """)

    @Argument(help: ArgumentHelp("Image files.", valueName: "image"), completion: .file())
    var images: [String]

    @Option(help: ArgumentHelp("Labels, separated by commas.", valueName: "names"))
    var labels: String?

    @Option(
        help: ArgumentHelp("A file with one label per line.", valueName: "file"),
        completion: .file())
    var labelsFile: String?

    @Option(
        help: ArgumentHelp(
            "A text with {} for the label; may be repeated. Default: \"a photo of a {}.\", or \"一张{}的照片。\" for a Chinese label.",
            valueName: "text"))
    var template: [String] = []

    @Option(help: ArgumentHelp("Labels to show per image.", valueName: "n"))
    var top = 5

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: ModelOptions

    func validate() throws {
        guard (labels == nil) != (labelsFile == nil) else {
            throw ValidationError("Give the labels with --labels or with --labels-file, not both.")
        }
        for text in template where !text.contains(ZeroShotClassifier.place) {
            throw ValidationError("--template '\(text)' has no {} for the label.")
        }
        try NumberBounds.check("--top", top, 1...100_000)
    }

    private struct Answer: Codable {
        let image: String
        let labels: [ZeroShotClassifier.Score]
    }

    func run() async throws {
        let names = try labelNames()
        guard !names.isEmpty else { throw ValidationError("No labels are given.") }
        let model = try await options.load()
        let classifier = try ZeroShotClassifier(
            labels: names, templates: template.isEmpty ? nil : template, model: model)
        var answers: [Answer] = []
        for image in images {
            try Task.checkCancellation()
            let encoded = try model.encode(pixels: [model.pixels(of: FilePath(image))])
            let scores = try classifier(encoded)[0].prefix(top)
            answers.append(Answer(image: image, labels: Array(scores)))
            if !json { show(image, scores) }
        }
        if json { try Console.json(answers) }
    }

    private func labelNames() throws -> [String] {
        if let labels {
            return labels.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        }
        guard let labelsFile else { return [] }
        return try TextListFile(FilePath(labelsFile)).lines.map(\.text)
    }

    private static func trimmed(_ text: Substring) -> String {
        text.trimmingCharacters(in: .whitespaces)
    }

    private func show(_ image: String, _ scores: ArraySlice<ZeroShotClassifier.Score>) {
        Console.result(image.displayed)
        for score in scores {
            Console.result(
                String(format: "  %5.1f %%  ", score.probability * 100) + score.label.displayed)
        }
    }
}
