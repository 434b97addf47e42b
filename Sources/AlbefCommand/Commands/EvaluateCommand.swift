public import ALBEF
import ALBEFTraining
public import ArgumentParser
import ImageText
import Retrieval
import SystemPackage

/// `albef evaluate`: how well a model finds what it should.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a model on captioned pictures.",
        subcommands: [EvaluateRetrievalCommand.self, EvaluateWardrobeCommand.self])
}

/// `albef evaluate retrieval`: recall in both directions, by the towers and re-ranked.
struct EvaluateRetrievalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrieval",
        abstract: "Measure recall at 1, 5 and 10: texts find pictures, pictures find texts.",
        discussion: """
            The protocol of the model's dialect: the towers compare everything, the fusion encoder \
            re-ranks the best of each row. The original ranks by the match logit (itm), LAVIS by \
            the match logit plus the cosine (itm+itc); 'posterior' adds the cosine over the \
            temperature to the log-odds of a match.

              albef evaluate retrieval test.json --model run/best --rerank 32
            """)

    @Argument(
        help: ArgumentHelp(
            "Annotations, in any format that 'albef pretrain' reads.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("Where relative picture paths start.", valueName: "directory"))
    var images: String?

    @OptionGroup var model: ModelOptions

    @Option(help: ArgumentHelp("Candidates to re-rank; 0 for none.", valueName: "k"))
    var rerank = 16

    @Option(
        help: ArgumentHelp(
            "What candidates are ordered by: itm, itm+itc or posterior; default: as the dialect does.",
            valueName: "score"))
    var ranking: RankingScore?

    @Option(help: ArgumentHelp("Use the first pictures only; 0 for all.", valueName: "n"))
    var limit = 0

    @Flag(help: "Print the outcome as JSON.")
    var json = false

    func validate() throws {
        if rerank < 0 { throw ValidationError("--rerank must not be negative.") }
        if limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    func run() async throws {
        let dataset = try CaptionDataset(
            reading: files.map { FilePath($0) }, imageRoot: images.map { FilePath($0) })
        let search = try model.load()
        let evaluator = RetrievalEvaluator(
            dataset, limit: limit, vision: search.model.configuration.vision, text: search.text)
        if !search.matches, rerank > 0 {
            Console.note("note: this model was not trained to match; nothing is re-ranked")
        }
        let depth = search.matches ? rerank : 0
        let result = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("re-ranking", unit: "pictures")
            defer { bar.finish() }
            return try await evaluator.evaluate(
                search.model, depth: depth, ranking: ranking
            ) { done, total in
                bar.show(done, of: total)
            }
        }
        if json {
            try Console.json(
                EvaluationOutput(
                    images: evaluator.imageCount, texts: evaluator.textCount,
                    rerankDepth: result.reranked == nil ? nil : result.depth, dual: result.dual,
                    reranked: result.reranked))
        } else {
            Console.result(
                RecallTable(
                    images: evaluator.imageCount, texts: evaluator.textCount, result
                ).text)
        }
    }
}

/// The JSON of `albef evaluate retrieval --json`.
private struct EvaluationOutput: Encodable {
    let images, texts: Int
    let rerankDepth: Int?
    let dual: RecallMetrics
    let reranked: RecallMetrics?

    enum CodingKeys: String, CodingKey {
        case images, texts
        case rerankDepth = "rerank_depth"
        case dual, reranked
    }
}

extension RankingScore: ExpressibleByArgument {}
