import ALBEF
import ALBEFTraining
import Foundation

/// Recall at 1, 5 and 10 of the towers alone and of the re-ranked order, as text.
struct RecallTable {
    let images, texts: Int
    let dual: RecallMetrics
    let reranked: [(depth: Int, metrics: RecallMetrics)]

    init(images: Int, texts: Int, _ result: RetrievalEvaluator.Result) {
        self.images = images
        self.texts = texts
        dual = result.dual
        reranked = result.reranked
    }

    init(_ metrics: EvaluationMetrics) {
        images = metrics.images
        texts = metrics.texts
        dual = metrics.dual
        reranked = metrics.reranked.map { [(metrics.rerankDepth ?? 0, $0)] } ?? []
    }

    var text: String {
        var lines = [
            "R@1 / 5 / 10 in percent, \(images) images and \(texts) texts",
            Self.row("", "text to image", "image to text"), Self.row("towers", dual),
        ]
        lines += reranked.map { Self.row("top \($0.depth)", $0.metrics) }
        return lines.joined(separator: "\n")
    }

    private static func row(_ name: String, _ metrics: RecallMetrics) -> String {
        func text(_ direction: RecallMetrics.Direction) -> String {
            [direction.r1, direction.r5, direction.r10].map { String(format: "%5.1f", $0) }
                .joined(separator: " ")
        }
        return row(name, text(metrics.textToImage), text(metrics.imageToText))
    }

    private static func row(_ name: String, _ first: String, _ second: String) -> String {
        func cell(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        return "  " + cell(name, 8) + cell(first, 20) + second
    }
}
