import ALBEF
import ALBEFTraining
import Foundation

/// A table of recall at 1, 5 and 10, of the towers alone and after re-ranking.
struct RecallTable {
    /// The title and the table.
    let text: String

    /// Formats a complete evaluation, with standard errors and the gain of re-ranking.
    init(images: Int, texts: Int, _ result: RetrievalEvaluator.Result) {
        func row(_ name: String, _ recall: MeasuredRecall, sign: String = "") -> [String] {
            let directions = [recall.textToImage, recall.imageToText]
            return [name]
                + directions.flatMap { [$0.r1, $0.r5, $0.r10] }.map {
                    Columns.share($0, sign: sign)
                }
        }
        var rows = [row("towers", MeasuredRecall(result.towers))]
        for reranked in result.reranked {
            rows.append(row("top \(reranked.depth)", MeasuredRecall(reranked.ranks)))
            rows.append(
                row("  gain", MeasuredRecall(reranked.ranks, over: result.towers), sign: "+"))
        }
        text = Self.text(
            "recall in percent ± standard error, \(images) images and \(texts) texts", rows)
    }

    /// Formats an evaluation during training, without standard errors.
    init(_ metrics: EvaluationMetrics) {
        func row(_ name: String, _ recall: RecallMetrics) -> [String] {
            let directions = [recall.textToImage, recall.imageToText]
            return [name]
                + directions.flatMap { [$0.r1, $0.r5, $0.r10] }.map { String(format: "%.1f", $0) }
        }
        text = Self.text(
            "recall in percent, \(metrics.images) images and \(metrics.texts) texts",
            [row("towers", metrics.dual)]
                + (metrics.reranked.map { [row("top \(metrics.rerankDepth ?? 0)", $0)] } ?? []))
    }

    private static func text(_ title: String, _ rows: [[String]]) -> String {
        let header = [
            "", "text to image: R@1", "R@5", "R@10", "image to text: R@1", "R@5", "R@10",
        ]
        return ([title] + Columns.aligned([header] + rows)).joined(separator: "\n")
    }
}
