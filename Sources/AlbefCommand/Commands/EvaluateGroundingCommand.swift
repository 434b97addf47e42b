import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage

/// `albef evaluate grounding`: measures whether heat maps find the boxes that texts refer to.
struct EvaluateGroundingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grounding",
        abstract: "Measure whether a model finds what texts refer to: RefCOCO+.",
        discussion: """
            Each text has a heat map (Grad-CAM), which chooses the box with the most heat for its \
            size among a detector's proposals. The choice is right if it overlaps the true box by \
            at least one half. The model has learned no boxes.

            Files are JSON lists or JSON Lines with image, text, bbox ([x, y, width, height]), and \
            optionally ref_id, image_id and split; proposals a JSON object with a list of boxes \
            for each image. Documentation/formats.md describes both.

              albef evaluate grounding test.json --proposals dets.json --images coco
              albef evaluate grounding test.json --proposals dets.json --sweep
            """)

    @OptionGroup var data: AnnotationOptions

    @Option(
        help: ArgumentHelp("The boxes among which to choose.", valueName: "file"),
        completion: .file())
    var proposals: String

    @OptionGroup var model: ModelOptions

    @OptionGroup var heat: HeatMapOptions

    @Flag(help: "Measure every layer by itm and itc, or by --mode alone.")
    var sweep = false

    @Option(
        help: ArgumentHelp(
            "Write the chosen box of every text, as JSON Lines.", valueName: "file"),
        completion: .file())
    var dump: String?

    @Option(
        help: ArgumentHelp(
            "Draw every text's heat map and boxes into this folder.", valueName: "directory"),
        completion: .directory)
    var overlays: String?

    func validate() throws {
        if sweep, heat.layer != nil {
            throw ValidationError("--sweep measures every layer; leave out --layer.")
        }
        if sweep, overlays != nil {
            throw ValidationError("--overlays draws the maps of one layer; leave out --sweep.")
        }
        try model.refuseRecall()
    }

    func run() async throws {
        let dataset = try GroundingDataset(
            reading: data.paths, proposals: BoxProposals(reading: FilePath(proposals)),
            imageRoot: data.imageRoot, limit: data.limit, missing: data.missing)
        let details = try dump.map { try DetailsFile(FilePath($0)) }
        let figures = try overlays.map { try GroundingFigures(folder: FilePath($0)) }
        let search = try await model.load()
        let layers = try sweep ? heat.layers(of: search) : [heat.layer(of: search)]
        let evaluator = try GroundingEvaluator(
            dataset, source: data.source, preprocessing: search.reader.preprocessing)
        let skips = data.skipMissing
        let found = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("finding", unit: "texts")
            defer { bar.finish() }
            return try await evaluator.evaluate(
                search.model, layers: layers, skipsUnreadable: skips,
                observe: { try figures?.write($0) }, progress: { bar.show($0, of: $1) })
        }
        try details?.write(
            found.results.lazy.flatMap { result in
                result.outcomes.lazy.map { GroundingDetail($0, layer: result.layer) }
            })
        let left = noteLeftOut(dataset, found)
        if data.json {
            try Console.json(GroundingOutput(found, leftOut: left))
        } else {
            Console.result(GroundingTable(found).text)
        }
    }

    /// Reports the texts that were left out, and returns their number.
    private func noteLeftOut(
        _ dataset: GroundingDataset, _ found: GroundingEvaluator.Evaluation
    ) -> Int {
        let damaged = dataset.items.count - (found.results.first?.outcomes.count ?? 0)
        data.note(
            leftOut: "texts", missing: dataset.missingCount, unreadable: found.unreadable,
            damaged: damaged)
        return dataset.missingCount + damaged
    }
}

extension ModelOptions {
    /// Refuses a second model.
    ///
    /// - Throws: A `ValidationError` if `--recall` is given.
    func refuseRecall() throws {
        guard recalls.isEmpty else {
            throw ValidationError("--recall: the place of a text is found by --model alone.")
        }
    }
}

/// The figures of an evaluation, one file per text.
struct GroundingFigures {
    private let folder: FilePath
    private let loader = ImageLoader(targetSide: GroundingFigure.imageSide)

    /// Creates the folder if it does not exist, so that a wrong path fails early.
    init(folder: FilePath) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
    }

    /// Draws a finding as `000012-right.jpg`, with the place of the text in the data, or `-wrong`.
    func write(_ finding: GroundingEvaluator.Finding) throws {
        let (outcome, placement) = (finding.outcome, finding.placement)
        let others = outcome.item.proposals.filter { $0 != outcome.box }
        let marks =
            others.map { GroundingFigure.Mark(.proposal, $0) }
            + [GroundingFigure.Mark(.truth, outcome.item.box)]
            + (outcome.box.map { [GroundingFigure.Mark(.chosen, $0)] } ?? [])
        let map = HeatMap(
            width: placement.mapWidth, height: placement.mapHeight, values: finding.map)
        let figure = GroundingFigure(
            title: outcome.item.text, map: map, placement: placement, marks: marks,
            image: try loader.load(outcome.item.image))
        let digits = String(finding.index)
        let name =
            String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            + (outcome.isRight ? "-right.jpg" : "-wrong.jpg")
        try AtomicFile.write(
            try JPEGEncoder.encode(figure.render(), quality: 90, named: name),
            to: folder.appending(name))
    }
}
