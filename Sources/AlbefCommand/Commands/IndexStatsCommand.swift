import ALBEFTraining
public import ArgumentParser
import CommandSupport
public import Retrieval
import Storage
import SystemPackage

/// `albef index stats`: shows the contents and the size of an index.
struct IndexStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show the contents and the size of an index.",
        discussion: """
              albef index stats pictures.index --json
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Flag(help: "Print the statistics as JSON.")
    var json = false

    func run() async throws {
        let index = FilePath(index)
        let statistics = try ForwardIndex(index).statistics
        let successor = IndexSuccessor(of: index)
        if json {
            try Console.json(StatisticsOutput(statistics, successor))
        } else {
            Console.result(Self.table(statistics, successor))
        }
    }

    /// Formats one line per fact.
    static func table(_ statistics: IndexStatistics, _ successor: IndexSuccessor?) -> String {
        let budget = statistics.budget
        let kept = min(budget.count ?? statistics.tokenCount, statistics.tokenCount)
        let tokens =
            kept == 0
            ? "none; a search reads its candidates' files"
            : "\(kept) of \(statistics.tokenCount), \(budget.precision.rawValue),"
                + " \(NumberText.bytes(Double(statistics.tokenByteCount))) per image"
        let isOfTexts = statistics.content == .texts
        let noun = isOfTexts ? "texts" : "images"
        let graph = statistics.graphRows.map { "of \($0) \(noun)" } ?? "none"
        let name = statistics.modelName?.displayed
        let facts: [(String, String)] = [
            (noun, "\(statistics.images)"), ("removed", "\(statistics.removed)"),
            ("files", "\(statistics.segments)"),
            ("size", NumberText.bytes(Double(statistics.byteCount))),
            ("tokens", tokens), ("graph", graph),
            ("features", "\(statistics.embeddingWidth) numbers"),
            ("image size", "\(statistics.imageSize) pixels"),
            ("model", (name.map { "\($0), " } ?? "") + statistics.model.prefix(12)),
            ("generation", "\(statistics.generation)"),
        ].flatMap { fact in
            // With two models, the next row names the one that computed the features.
            guard fact.0 == "features", let recall = statistics.recall else { return [fact] }
            return [
                fact,
                (
                    "recall",
                    "\(recall.name.displayed), \(recall.fingerprint.prefix(12)), images of"
                        + " \(recall.imageSize) pixels"
                ),
            ]
        }
        let shard = statistics.shard.map {
            ("shard", "\($0)" + (statistics.isFinished ? "" : ", not finished"))
        }
        let change = successor.map {
            ("change", ChangeOutput($0, of: statistics.images).text(noun))
        }
        let shown = facts.filter { !isOfTexts || !["tokens", "image size"].contains($0.0) }
        return (shown + [shard, change].compactMap(\.self)).map { name, value in
            name + String(repeating: " ", count: 12 - name.count) + value
        }.joined(separator: "\n")
    }
}

/// The JSON of `albef index stats --json`.
private struct StatisticsOutput: Encodable {
    struct Tokens: Encodable {
        let kept, available, bytes: Int
        let precision: TokenBudget.Precision
    }

    let content: IndexContent
    let photos, removed, files, bytes, generation, featureWidth, imageSize: Int
    let tokens: Tokens
    let graphRows: Int?
    let model: String
    let modelName: String?
    let recall: ModelSignature.Recall?
    let shard: ShardOutput?
    let change: ChangeOutput?

    enum CodingKeys: String, CodingKey {
        case content, photos, removed, files, bytes, generation, tokens, model, recall, shard
        case change
        case modelName = "model_name"
        case graphRows = "graph_photos"
        case featureWidth = "feature_width"
        case imageSize = "image_size"
    }

    init(_ statistics: IndexStatistics, _ successor: IndexSuccessor?) {
        content = statistics.content
        photos = statistics.images
        removed = statistics.removed
        files = statistics.segments
        bytes = statistics.byteCount
        generation = statistics.generation
        featureWidth = statistics.embeddingWidth
        imageSize = statistics.imageSize
        model = statistics.model
        modelName = statistics.modelName
        recall = statistics.recall
        shard = statistics.shard.map { ShardOutput($0, isFinished: statistics.isFinished) }
        change = successor.map { ChangeOutput($0, of: statistics.images) }
        graphRows = statistics.graphRows
        tokens = Tokens(
            kept: min(statistics.budget.count ?? statistics.tokenCount, statistics.tokenCount),
            available: statistics.tokenCount, bytes: statistics.tokenByteCount,
            precision: statistics.budget.precision)
    }
}

extension MetadataFilter: ExpressibleByArgument {
    /// Parses the value of `--where`.
    public init?(argument: String) { self.init(argument) }
}

extension RecallMethod: ExpressibleByArgument {}
