import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import SystemPackage
import Wardrobe
import WardrobeEvaluation

/// `albef evaluate wardrobe`: measures a model on scenes whose colours change places.
struct EvaluateWardrobeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wardrobe",
        abstract: "Measure a model on generated scenes: swap, rare, small, all.",
        discussion: """
            Draws the scenes for the measurement, and asks in English and Chinese; equal seeds \
            give equal questions. Precision and recall are in percent.

              albef evaluate wardrobe --model run/last --rerank 16,64
            """)

    @OptionGroup var model: ModelOptions

    @Option(help: ArgumentHelp("Candidates to re-rank; 0 for none.", valueName: "k,…"))
    var rerank = "16,32,64,128"

    @Option(
        help: ArgumentHelp(
            "The score that orders candidates.", valueName: "score"))
    var ranking = RankingScore.matching

    @Option(help: "Seed of the scenes.")
    var seed: UInt64 = WardrobeAblation.testSeed

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws { _ = try RerankDepths(rerank) }

    func run() async throws {
        let search = try await model.load(or: .wardrobe)
        if !search.matches { Console.note("note: this model was not trained to match") }
        let stages =
            [WardrobeStage.towers]
            + (search.matches ? try RerankDepths(rerank).numbers.map { .reranked($0) } : [])
        let evaluator = WardrobeEvaluator(
            WardrobeBenchmark(seed: seed), preprocessing: search.reader.preprocessing,
            ranking: ranking, recall: search.recall.map(RecallModel.init))
        let rows = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("testing", unit: "parts")
            defer { bar.finish() }
            return try await evaluator.evaluate(search.model, stages: stages) {
                bar.show($0, of: $1)
            }
        }
        if json {
            try Console.json(rows)
        } else {
            Console.result(WardrobeTable.text(rows))
        }
    }
}

/// The wardrobe scores as a table.
enum WardrobeTable {
    static func text(_ rows: [WardrobeRow]) -> String {
        var lines = [
            "              swap (common rare sides)     rare P@1 P@10 mirrored   small P@1 P@10   all R@1   @5  @10"
        ]
        for row in rows {
            let scores = row.scores
            let values = [
                scores.swap, scores.swapCommon, scores.swapRare, scores.swapNeighbours,
                scores.rareAt1, scores.rareAt10, scores.mirroredAt10, scores.smallAt1,
                scores.smallAt10, scores.allAt1, scores.allAt5, scores.allAt10,
            ].map { $0 * 100 }
            let name = "\(row.language.rawValue)  \(row.stage)"
            let padded = name + String(repeating: " ", count: max(0, 12 - name.count))
            lines.append(
                padded
                    + String(
                        format:
                            "%6.1f  %6.1f %5.1f %5.1f        %5.1f %5.1f    %5.1f       %5.1f %5.1f     %5.1f %5.1f %5.1f",
                        arguments: values))
        }
        return lines.joined(separator: "\n")
    }
}
