import ALBEF
import ALBEFTraining
import CommandSupport
import Foundation

/// The results of grounding as text: one row per split, or one per layer of a sweep.
struct GroundingTable {
    private let found: GroundingEvaluator.Evaluation

    init(_ found: GroundingEvaluator.Evaluation) { self.found = found }

    var text: String {
        guard let first = found.results.first else { return "" }
        let all = first.metrics.all
        let counts =
            "right in percent ± standard error, \(all.texts) texts and \(found.images) images"
        guard found.results.count > 1 else {
            return
                ([counts + ", \(first.layer.mode.rawValue) at layer \(first.layer.index)"]
                + Columns.aligned(Self.splits(first.metrics))
                + (all.withoutChoice > 0
                    ? ["no proposal scored: \(all.withoutChoice); these texts count as wrong"] : []))
                .joined(separator: "\n")
        }
        return
            ([counts] + Columns.aligned(sweep(first.metrics))
            + ["reachable: \(Columns.share(all.reachable))"]).joined(separator: "\n")
    }

    /// One row per split, and one for all texts.
    private static func splits(_ metrics: GroundingMetrics) -> [[String]] {
        let rows = metrics.splits.map { ($0.name.displayed, $0) } + [("all", metrics.all)]
        return [["", "texts", "right", "reachable", "no proposal scored"]]
            + rows.map { name, row in
                [
                    name, "\(row.texts)", Columns.share(row.right), Columns.share(row.reachable),
                    "\(row.withoutChoice)",
                ]
            }
    }

    /// One row per layer, with a column per split and one for all texts.
    private func sweep(_ first: GroundingMetrics) -> [[String]] {
        let header = [""] + first.splits.map(\.name.displayed) + ["all", "no proposal scored"]
        return [header]
            + found.results.map { result in
                let rows = result.metrics.splits + [result.metrics.all]
                return ["\(result.layer.mode.rawValue) \(result.layer.index)"]
                    + rows.map { Columns.share($0.right) } + ["\(result.metrics.all.withoutChoice)"]
            }
    }
}
