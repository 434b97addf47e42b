import ALBEF
import ALBEFTraining
public import ArgumentParser
import CommandSupport
import Foundation
public import ImageText
import Retrieval
import SystemPackage

/// `albef evaluate pairs`: measures Winoground's text, image and group scores.
struct EvaluatePairsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pairs",
        abstract: "Measure whether a model tells two images and two captions apart: Winoground.",
        discussion: """
            The text score counts pairs in which both images prefer their own caption, the image \
            score pairs in which both captions prefer their own image, the group score pairs with \
            both. Equal scores count as wrong. Chance is 25, 25 and 16.7 %.

            Files are JSON Lines, a JSON list, CSV or TSV with image_0, image_1, caption_0, \
            caption_1, and optionally id, tag, secondary_tag, num_main_preds and collapsed_tag. \
            Names of images may lack their extension (ex_0_img_0).

              albef evaluate pairs examples.jsonl --images images --model albef-coco
              albef evaluate pairs examples.jsonl --images images --model blip --by tag
            """)

    @OptionGroup var options: BenchmarkOptions

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp(
            "The tag that divides the rows of the table; default: collapsed_tag, or tag if there "
                + "is none.",
            valueName: "tag"))
    var by: PairItem.Tag?

    func run() async throws {
        let dataset = try PairDataset(
            reading: options.data.paths, imageRoot: options.data.imageRoot,
            limit: options.data.limit, missing: options.data.missing)
        let details = try options.detailsFile()
        let search = try await model.load()
        let evaluator = try PairEvaluator(
            dataset, source: options.data.source, preprocessing: search.reader.preprocessing,
            recall: search.recall.map(RecallModel.init))
        let ranking = options.ranking(search)
        let (tag, skips) = (by, options.data.skipMissing)
        let result = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("scoring", unit: "images")
            defer { bar.finish() }
            return try await evaluator.evaluate(
                search.model, ranking: ranking, by: tag, skipsUnreadable: skips
            ) { bar.show($0, of: $1) }
        }
        try details?.write(result.outcomes.lazy.map(PairDetail.init))
        options.data.note(
            leftOut: "pairs", missing: dataset.missingCount, unreadable: result.unreadable,
            damaged: dataset.items.count - result.outcomes.count)
        if options.data.json {
            try Console.json(
                PairsOutput(
                    result, ranking: ranking,
                    leftOut: dataset.missingCount + dataset.items.count - result.outcomes.count))
        } else {
            Console.result(PairsTable(result.metrics, images: result.images, ranking: ranking).text)
        }
    }
}

/// The JSON of `albef evaluate pairs --json`.
private struct PairsOutput: Encodable {
    struct Row: Encodable {
        let tag: String?
        let items: Int
        let towers: PairMetrics.Shares
        let fusion: PairMetrics.Shares?

        init(_ row: PairMetrics.Row, tag: String? = nil) {
            self.tag = tag
            items = row.items
            towers = row.towers
            fusion = row.fusion
        }
    }

    struct Chance: Encodable {
        var text = PairMetrics.chance.text
        var image = PairMetrics.chance.image
        var group = PairMetrics.chance.group
    }

    let images: Int
    let leftOut: Int
    let ranking: RankingScore?
    let by: String?
    var chance = Chance()
    let tags: [Row]
    let all: Row

    init(_ result: PairEvaluator.Result, ranking: RankingScore?, leftOut: Int) {
        images = result.images
        self.leftOut = leftOut
        self.ranking = ranking
        by = result.metrics.tag?.rawValue
        tags = result.metrics.tags.map { Row($0, tag: $0.name) }
        all = Row(result.metrics.all)
    }

    enum CodingKeys: String, CodingKey {
        case images, ranking, by, chance, tags, all
        case leftOut = "left_out"
    }
}

/// One line of `albef evaluate pairs --output`.
private struct PairDetail: Encodable {
    struct Scores: Encodable {
        /// By image, then by caption.
        let scores: [[Float]]
        let text, image, group: Bool

        init(_ scores: PairScores) {
            self.scores = scores.values
            text = scores.isTextRight
            image = scores.isImageRight
            group = scores.isGroupRight
        }
    }

    let file, entry, id: String
    let images, captions: [String]
    let tags: [String: String]
    let towers: Scores
    let fusion: Scores?

    init(_ outcome: PairOutcome) {
        let item = outcome.item
        file = item.file.string
        entry = item.entry
        id = item.id
        images = item.images.map(\.string)
        captions = item.captions
        tags = Dictionary(uniqueKeysWithValues: item.tags.map { ($0.key.rawValue, $0.value) })
        towers = Scores(outcome.towers)
        fusion = outcome.fusion.map(Scores.init)
    }
}

extension PairItem.Tag: ExpressibleByArgument {}
