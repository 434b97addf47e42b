import ALBEF
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// `albef predict grounding`: finds what a text refers to in one image.
struct PredictGroundingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grounding",
        abstract: "Find what a text refers to in an image.",
        discussion: """
            Prints the box with the most heat for its size among --proposals, which are a JSON \
            list of boxes [x, y, width, height] in pixels, or an object with such a list for each \
            image:

              albef predict grounding street.jpg "man in blue" --proposals boxes.json

            Without proposals, prints the hottest point and an estimate: the box around the heat \
            above half of the maximum. It shows where the evidence is, often only a part of the \
            thing.

              albef predict grounding street.jpg "man in blue" --json

            A text that does not describe the image gets a box too; read the match first.
            """)

    @Argument(help: ArgumentHelp("An image file.", valueName: "image"), completion: .file())
    var image: String

    @Argument(help: ArgumentHelp("The text.", valueName: "text"))
    var text: String

    @Option(
        help: ArgumentHelp(
            "The boxes among which to choose; default: none, for an estimate.", valueName: "file"),
        completion: .file())
    var proposals: String?

    @OptionGroup var model: ModelOptions

    @OptionGroup var heat: HeatMapOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where to draw the heat map and the boxes, a .png or .jpg file.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Print the box, the heat map and the scores as JSON.")
    var json = false

    func validate() throws {
        _ = try output.map { try FigureFile($0, of: image) }
        try model.refuseRecall()
    }

    func run() async throws {
        let search = try await model.load()
        let layer = try heat.layer(of: search)
        let reading = search.reading(of: text)
        reading.noteIfCut()
        if let unknown = reading.namedUnknownWords { Console.note("note: \(unknown)") }
        let found = try search.locate(
            FilePath(image), text, by: layer.mode, layer: layer.index)
        let boxes = try proposals.map {
            try BoxProposals.boxes(
                in: FilePath($0), of: FilePath(image), width: found.placement.imageWidth,
                height: found.placement.imageHeight)
        }
        let answer = GroundingAnswer(found, boxes: boxes)
        if let output { try FigureFile(output, of: image).write(figure(answer)) }
        if json {
            try Console.json(GroundingAnswerOutput(image: FilePath(image), answer))
        } else {
            Console.result(answer.text)
        }
    }

    private func figure(_ answer: GroundingAnswer) throws -> RGBImage {
        let pixels = try ImageLoader(targetSide: GroundingFigure.imageSide).load(FilePath(image))
        return try GroundingFigure(
            title: text, map: answer.found.map, placement: answer.found.placement,
            marks: answer.marks, image: pixels
        ).render()
    }
}

/// What is answered to a text: a proposal, or the estimate around the peak.
struct GroundingAnswer {
    let found: Localization
    /// The proposals; nil if there was nothing to choose from.
    let boxes: [BoundingBox]?
    /// The chosen proposal; nil without proposals, or if none scored.
    let choice: BoxChoice?
    /// The hottest point; nil if the map has no heat.
    let peak: HeatPeak?

    init(_ found: Localization, boxes: [BoundingBox]?) {
        self.found = found
        self.boxes = boxes
        choice = boxes.flatMap(found.choice)
        peak = found.peak
    }

    /// The chosen box, or the estimate without proposals.
    var box: BoundingBox? {
        guard let boxes else { return peak?.box }
        return choice.map { boxes[$0.index] }
    }

    /// What to draw.
    var marks: [GroundingFigure.Mark] {
        let others = (boxes ?? []).filter { $0 != box }.map { GroundingFigure.Mark(.proposal, $0) }
        return others
            + (box.map { [GroundingFigure.Mark(boxes == nil ? .estimate : .chosen, $0)] } ?? [])
    }

    /// The answer in lines.
    var text: String {
        let match = found.matchProbability.map { String(format: "match %.1f %%, ", $0 * 100) } ?? ""
        var lines = [match + String(format: "cosine %.4f", found.similarity)]
        lines.append(
            peak.map { String(format: "hottest point %.0f, %.0f", $0.x, $0.y) }
                ?? "the heat map is empty: nothing in the image supports the text")
        if let box {
            let numbers = box.numbers.map { String(format: "%.0f", $0) }.joined(separator: ", ")
            let source =
                choice.map { choice in
                    "proposal \(choice.index) of 0 to \((boxes?.count ?? 1) - 1), score "
                        + String(format: "%.4g", choice.score)
                } ?? "an estimate, around the heat above half of the maximum"
            lines.append("box \(numbers) (\(source))")
        } else if let boxes {
            lines.append("no proposal scored: 0 of \(boxes.count) boxes have heat")
        }
        return lines.joined(separator: "\n")
    }
}

/// The JSON of `albef predict grounding --json`; the map is rows of patches, top to bottom.
struct GroundingAnswerOutput: Encodable {
    private struct Point: Encodable {
        let x, y: Double
    }

    private enum CodingKeys: String, CodingKey {
        case text, mode, layer, similarity, width, height, map, peak, box, source, proposal, score
        case matchProbability = "match_probability"
    }

    private let image: FilePath
    private let answer: GroundingAnswer

    init(image: FilePath, _ answer: GroundingAnswer) {
        self.image = image
        self.answer = answer
    }

    func encode(to encoder: any Encoder) throws {
        let found = answer.found
        try JSONPath(path: image).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(found.text, forKey: .text)
        try container.encode(found.layer.mode, forKey: .mode)
        try container.encode(found.layer.index, forKey: .layer)
        try container.encode(found.similarity, forKey: .similarity)
        try container.encodeIfPresent(found.matchProbability, forKey: .matchProbability)
        try container.encode(found.placement.imageWidth, forKey: .width)
        try container.encode(found.placement.imageHeight, forKey: .height)
        try container.encode(found.map.rows, forKey: .map)
        try container.encodeIfPresent(answer.peak.map { Point(x: $0.x, y: $0.y) }, forKey: .peak)
        try container.encodeIfPresent(answer.box?.numbers, forKey: .box)
        try container.encode(
            answer.boxes == nil ? "estimate" : "proposals", forKey: .source)
        try container.encodeIfPresent(answer.choice?.index, forKey: .proposal)
        try container.encodeIfPresent(answer.choice?.score, forKey: .score)
    }
}
