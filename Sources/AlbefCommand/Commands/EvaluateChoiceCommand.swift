import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// `albef evaluate choice`: measures how often a model prefers true texts to false ones.
struct EvaluateChoiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "choice",
        abstract:
            "Measure whether true texts score above false ones: SugarCrepe, ARO, VL-CheckList.",
        discussion: """
            Each item is an image with texts that describe it and texts that do not. An item \
            is right if every true text scores strictly above every false one. The table shows the \
            towers beside the fusion encoder, for each kind of item.

            The format is detected from the contents: SugarCrepe's, ARO's (cropped to its boxes), \
            VL-CheckList's JSON and its corpus, What'sUp's, or JSON Lines with image, positives, \
            negatives, and optionally kind and box ([x, y, width, height]). An item without a kind \
            gets the name of its file.

              albef evaluate choice data/*.json --images val2017 --model albef-coco
              albef evaluate choice visual_genome_relation.json --images vg --model blip
              albef evaluate choice own.jsonl --json

            Of ARO's relations and attributes, those with at least 25 items count in the mean over \
            kinds, as in ARO itself. Its authors leave out symmetric relations ('next to'): \
            --leave-out names a file of them.
            """)

    @OptionGroup var options: BenchmarkOptions

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp("A file of kinds to leave out, one per line.", valueName: "file"),
        completion: .file())
    var leaveOut: String?

    func run() async throws {
        var dataset = try ChoiceDataset(
            reading: options.data.paths, imageRoot: options.data.imageRoot,
            limit: options.data.limit, missing: options.data.missing)
        if let leaveOut {
            let kinds = Set(try TextListFile(FilePath(leaveOut)).lines.map(\.text))
            let count = dataset.remove(kinds: kinds)
            Console.note("note: left out \(count) items whose kinds are in \(leaveOut)")
        }
        let details = try options.detailsFile()
        let search = try await model.load()
        let evaluator = try ChoiceEvaluator(
            dataset, source: options.data.source, preprocessing: search.reader.preprocessing,
            recall: search.recall.map(RecallModel.init))
        let ranking = options.ranking(search)
        let skips = options.data.skipMissing
        let result = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("scoring", unit: "images")
            defer { bar.finish() }
            return try await evaluator.evaluate(
                search.model, ranking: ranking, skipsUnreadable: skips
            ) { bar.show($0, of: $1) }
        }
        try details?.write(result.outcomes.lazy.map(ChoiceDetail.init))
        options.data.note(
            leftOut: "items", missing: dataset.missingCount, unreadable: result.unreadable,
            damaged: dataset.items.count - result.outcomes.count)
        if result.ties > 0 {
            Console.note(
                "note: \(result.ties) items are wrong because of equal scores: the model scores a"
                    + " true and a false text of them alike")
        }
        if options.data.json {
            try Console.json(
                ChoiceOutput(
                    result, ranking: ranking,
                    leftOut: dataset.missingCount + dataset.items.count - result.outcomes.count))
        } else {
            Console.result(
                ChoiceTable(result.metrics, images: result.images, ranking: ranking).text)
        }
    }
}

/// The JSON of `albef evaluate choice --json`.
private struct ChoiceOutput: Encodable {
    struct Row: Encodable {
        let kind: String?
        let kinds: Int?
        let items: Int
        let chance: Double
        let towers: MeasuredShare
        let fusion, gain: MeasuredShare?

        init(_ row: ChoiceMetrics.Row, kind: String? = nil, kinds: Int? = nil) {
            self.kind = kind
            self.kinds = kinds
            items = row.items
            chance = row.chance
            towers = row.towers
            fusion = row.fusion
            gain = row.gain
        }
    }

    let images, ties: Int
    let leftOut: Int
    let ranking: RankingScore?
    let minimumKindSize: Int
    let kinds: [Row]
    let meanOfKinds: Row?
    let meanOfItems: Row

    init(_ result: ChoiceEvaluator.Result, ranking: RankingScore?, leftOut: Int) {
        let metrics = result.metrics
        images = result.images
        ties = result.ties
        self.leftOut = leftOut
        self.ranking = ranking
        minimumKindSize = metrics.minimumKindSize
        kinds = metrics.kinds.map { Row($0, kind: $0.name) }
        meanOfKinds = metrics.meanOfKinds.map { Row($0, kinds: metrics.countedKinds) }
        meanOfItems = Row(metrics.meanOfItems)
    }

    enum CodingKeys: String, CodingKey {
        case images, ties, ranking, kinds
        case leftOut = "left_out"
        case minimumKindSize = "minimum_kind_size"
        case meanOfKinds = "mean_of_kinds"
        case meanOfItems = "mean_of_items"
    }
}

/// One line of `albef evaluate choice --output`.
private struct ChoiceDetail: Encodable {
    struct Text: Encodable {
        let text: String
        let similarity: Float
        let fusion: Float?
    }

    let file, entry, image: String
    let kind: String
    let box: [Int]?
    let positives, negatives: [Text]
    let towersRight: Bool
    let fusionRight: Bool?

    init(_ outcome: ChoiceOutcome) {
        let item = outcome.item
        file = item.file.string
        entry = item.entry
        image = item.image.string
        kind = item.kind
        box = item.box.map { [$0.left, $0.top, $0.width, $0.height] }
        func texts(
            _ texts: [String], _ scores: (ChoiceOutcome.Scores) -> [Float]
        ) -> [Text] {
            texts.indices.map { index in
                Text(
                    text: texts[index], similarity: scores(outcome.towers)[index],
                    fusion: outcome.fusion.map { scores($0)[index] })
            }
        }
        positives = texts(item.positives, \.positives)
        negatives = texts(item.negatives, \.negatives)
        towersRight = outcome.towers.isRight
        fusionRight = outcome.fusion?.isRight
    }

    enum CodingKeys: String, CodingKey {
        case file, entry, image, kind, box, positives, negatives
        case towersRight = "towers_right"
        case fusionRight = "fusion_right"
    }
}
