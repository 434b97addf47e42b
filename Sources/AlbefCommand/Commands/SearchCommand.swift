import ArgumentParser
import Foundation
import Retrieval
import SystemPackage

/// `albef search`: asks an index for photos.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the photos in an index that a sentence describes.",
        discussion: """
            Recall compares the sentence's feature with every photo's; the fusion encoder then \
            reads the sentence together with each of the best candidates and re-ranks them.

              albef search "a dog in the snow" --model model --index photos.index
              albef search 黑色上衣白色裤子 --model model --index photos.index --json
            """)

    @Argument(help: ArgumentHelp("A sentence.", valueName: "query"))
    var query: String

    @Option(help: ArgumentHelp("The index that 'albef index' made.", valueName: "directory"))
    var index: String

    @OptionGroup var model: ModelOptions

    @Option(
        name: [.customShort("k"), .long], help: ArgumentHelp("Results to show.", valueName: "n"))
    var top = 10

    @Option(help: ArgumentHelp("Photos that recall hands to the fusion encoder.", valueName: "n"))
    var candidates = 64

    @Flag(name: .customLong("no-rerank"), help: "Show the order of recall alone.")
    var skipsReranking = false

    @Flag(help: "Print the answer as JSON.")
    var json = false

    func validate() throws {
        if top < 1 { throw ValidationError("--top must be at least 1.") }
        if candidates < 1 {
            throw ValidationError("--candidates must be at least 1; --no-rerank skips re-ranking.")
        }
    }

    func run() async throws {
        let forward = try ForwardIndex(FilePath(index))
        let model = try model.load()
        let reading = model.reading(of: query)
        if reading.isCut { Console.note("note: the query is long; only its beginning is read") }
        if reading.isUnknown {
            Console.note("note: the model's vocabulary has no word of this query")
        }
        if !model.matches, !skipsReranking {
            Console.note("note: this model was not trained to match; this is the order of recall")
        }
        if forward.count == 0 { Console.note("note: the index is empty") }
        let results = try Searcher(model, forward).search(
            query, count: top, candidates: skipsReranking ? 0 : candidates)
        if json {
            try Console.json(SearchOutput(query: query, results: results.map(ResultOutput.init)))
        } else if !results.isEmpty {
            Console.result(Self.table(results))
        }
    }

    /// Ranks, scores and paths in columns.
    static func table(_ results: [SearchResult]) -> String {
        var lines = ["rank  recall   match   cosine  path"]
        for result in results {
            let match = result.matchProbability.map { String(format: "%5.1f %%", $0 * 100) }
            let numbers = String(format: "%4d  %6d", result.rank, result.recallRank)
            let cosine = String(format: "%7.4f", result.similarity)
            lines.append("\(numbers)  \(match ?? "      -")  \(cosine)  \(result.path.displayed)")
        }
        return lines.joined(separator: "\n")
    }
}

/// The JSON of `albef search --json`.
private struct SearchOutput: Encodable {
    let query: String
    let results: [ResultOutput]
}

private struct ResultOutput: Encodable {
    let result: SearchResult

    init(_ result: SearchResult) { self.result = result }

    enum CodingKeys: String, CodingKey {
        case rank
        case recallRank = "recall_rank"
        case similarity
        case matchLogit = "match_logit"
        case matchProbability = "match_probability"
    }

    func encode(to encoder: any Encoder) throws {
        try JSONPath(path: result.path).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(result.rank, forKey: .rank)
        try container.encode(result.recallRank, forKey: .recallRank)
        try container.encode(result.similarity, forKey: .similarity)
        // `null` rather than nothing: every result has the same fields.
        try container.encode(result.matchLogit, forKey: .matchLogit)
        try container.encode(result.matchProbability, forKey: .matchProbability)
    }
}
