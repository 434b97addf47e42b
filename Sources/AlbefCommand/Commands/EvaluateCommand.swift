public import ALBEF
import ALBEFTraining
public import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage

/// `albef evaluate`: measures a model.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a model on captioned images, or on a downstream task.",
        subcommands: [
            EvaluateRetrievalCommand.self, EvaluateChoiceCommand.self, EvaluatePairsCommand.self,
            EvaluateEntailmentCommand.self, EvaluateNLVRCommand.self, EvaluateVQACommand.self,
            EvaluateGroundingCommand.self, EvaluateWardrobeCommand.self,
        ])
}

/// `albef evaluate retrieval`: measures recall in both directions, by the towers and re-ranked.
struct EvaluateRetrievalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrieval",
        abstract: "Measure recall at 1, 5 and 10: texts find images, images find texts.",
        discussion: """
            Follows the protocol of the model's dialect: the towers compare all images with all \
            texts, and the fusion encoder re-ranks the best candidates of each. The original ranks \
            by the match logit (itm), LAVIS by the match logit plus the cosine (itm+itc); \
            'posterior' adds the cosine over the temperature to the log-odds of a match.

            An identical caption of another image also counts as right. Among other equal scores, \
            the last one ranks first, as in the original.

              albef evaluate retrieval test.json --model run/best --rerank 16,64,128
              albef evaluate retrieval test.json --recall siglip2 --model blip

            With --recall, the towers of that model recall, and --model re-ranks by the match \
            alone unless --ranking is given.
            """)

    @Argument(
        help: ArgumentHelp(
            "Annotations, in any format that 'albef pretrain' reads.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: each file's own.",
            valueName: "directory"),
        completion: .directory)
    var images: String?

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp(
            "Candidates to re-rank: a number, or several for a table; 0 for none.",
            valueName: "k,…"))
    var rerank = "16"

    @Option(
        help: ArgumentHelp(
            "The score that orders candidates; default: the model's own, or that of its dialect.",
            valueName: "score"))
    var ranking: RankingScore?

    @Option(help: ArgumentHelp("Use only the first n images; 0 for all.", valueName: "n"))
    var limit = 0

    @Option(
        help: ArgumentHelp(
            "Write the results of every caption as JSON Lines: ranks, scores, the first eight.",
            valueName: "file"), completion: .file())
    var dump: String?

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws {
        _ = try RerankDepths(rerank)
        guard (0...1_000_000_000).contains(limit) else {
            throw ValidationError("--limit must be from 0 to 1000000000.")
        }
    }

    func run() async throws {
        let dataset = try CaptionDataset(
            reading: files.map { FilePath($0) }, imageRoot: images.map { FilePath($0) })
        let search = try await model.load()
        let evaluator = try RetrievalEvaluator(
            dataset, source: files.joined(separator: ", "), limit: limit,
            preprocessing: search.reader.preprocessing,
            recall: search.recall.map(RecallModel.init))
        let asked = try RerankDepths(rerank).numbers
        if !search.matches, !asked.isEmpty {
            Console.note("note: this model was not trained to match; nothing is re-ranked")
        }
        let depths = search.matches ? asked : []
        let samples = dump == nil ? 0 : nil
        let result = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("re-ranking", unit: "images")
            defer { bar.finish() }
            return try await evaluator.evaluate(
                search.model, depths: depths, ranking: ranking ?? search.ranking, samples: samples
            ) { done, total in
                bar.show(done, of: total)
            }
        }
        if let dump { try Self.write(result.samples, to: FilePath(dump)) }
        if json {
            try Console.json(
                EvaluationOutput(
                    images: evaluator.imageCount, texts: evaluator.textCount, result))
        } else {
            Console.result(
                RecallTable(
                    images: evaluator.imageCount, texts: evaluator.textCount, result
                ).text)
        }
    }

    private static func write(_ samples: [SampleRetrieval], to file: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines = Data()
        for sample in samples { lines += try encoder.encode(sample) + Data("\n".utf8) }
        try AtomicFile.write(lines, to: file)
    }
}

/// The JSON of `albef evaluate retrieval --json`.
private struct EvaluationOutput: Encodable {
    struct Depth: Encodable {
        let depth: Int
        let metrics: RecallMetrics
        /// The metrics with standard errors, and the gain of re-ranking over the towers.
        let measured, gain: MeasuredRecall

        init(_ reranked: RetrievalEvaluator.Reranked, over towers: RecallRanks) {
            depth = reranked.depth
            metrics = reranked.ranks.metrics
            measured = MeasuredRecall(reranked.ranks)
            gain = MeasuredRecall(reranked.ranks, over: towers)
        }
    }

    let images, texts: Int
    let dual: RecallMetrics
    let measured: MeasuredRecall
    let reranked: [Depth]

    init(images: Int, texts: Int, _ result: RetrievalEvaluator.Result) {
        self.images = images
        self.texts = texts
        dual = result.towers.metrics
        measured = MeasuredRecall(result.towers)
        reranked = result.reranked.map { Depth($0, over: result.towers) }
    }
}

/// The value of `--rerank`: numbers of candidates.
struct RerankDepths {
    /// The numbers above 0, in the order given.
    let numbers: [Int]

    /// Parses numbers such as `16` or `16,64`; 0 stands for no re-ranking.
    init(_ text: String) throws {
        let bounds = 0...1_000_000
        let found = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        guard found.allSatisfy({ $0.map(bounds.contains) ?? false }) else {
            throw ValidationError(
                "--rerank must be numbers from \(bounds.lowerBound) to \(bounds.upperBound), such"
                    + " as 16 or 16,64, not '\(text)'.")
        }
        numbers = found.compactMap { $0 }.filter { $0 > 0 }
    }
}

extension RankingScore: ExpressibleByArgument {}

extension RecallModel {
    /// Creates the recall model of a search with two models.
    init(_ model: EncodingModel) {
        self.init(model.model, preprocessing: model.preprocessing)
    }
}
