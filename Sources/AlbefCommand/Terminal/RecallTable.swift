import ALBEF
import ALBEFTraining
import Foundation

/// Recall at 1, 5 and 10 of the towers alone and of the re-ranked order, as text.
struct RecallTable {
    private let title: String
    private var rows: [[String]]

    /// An evaluation by itself: with standard errors, and what re-ranking gains.
    init(images: Int, texts: Int, _ result: RetrievalEvaluator.Result) {
        title =
            "recall in percent ± standard error, \(images) images and \(texts) texts"
        rows = [Self.header, ["towers"] + Self.cells(result.measured)]
        for reranked in result.reranked {
            rows.append(["top \(reranked.depth)"] + Self.cells(reranked.measured))
            rows.append(["  gain"] + Self.cells(reranked.gain, sign: "+"))
        }
    }

    /// An evaluation on the way.
    init(_ metrics: EvaluationMetrics) {
        title =
            "recall in percent, \(metrics.images) images and \(metrics.texts) texts"
        rows = [Self.header, ["towers"] + Self.cells(metrics.dual)]
        if let reranked = metrics.reranked {
            rows.append(["top \(metrics.rerankDepth ?? 0)"] + Self.cells(reranked))
        }
    }

    var text: String { ([title] + Columns.aligned(rows)).joined(separator: "\n") }

    private static let header =
        ["", "text to image: R@1", "R@5", "R@10", "image to text: R@1", "R@5", "R@10"]

    private static func cells(_ recall: MeasuredRecall, sign: String = "") -> [String] {
        [recall.textToImage, recall.imageToText].flatMap { direction in
            [direction.r1, direction.r5, direction.r10].map { Columns.share($0, sign: sign) }
        }
    }

    private static func cells(_ metrics: RecallMetrics) -> [String] {
        [metrics.textToImage, metrics.imageToText].flatMap { direction in
            [direction.r1, direction.r5, direction.r10].map { String(format: "%.1f", $0) }
        }
    }
}
