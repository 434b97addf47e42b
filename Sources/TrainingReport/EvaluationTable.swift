import ALBEF
import ALBEFTraining
import Storage

/// The evaluations of a run as an HTML table that highlights the best of each split and stage.
struct EvaluationTable {
    let evaluations: [EvaluationMetrics]
    let best: [RunSummary.Best]

    func html() -> String {
        var html = """
            <div class="scroll"><table>
            <thead><tr><th rowspan="2">Step</th><th rowspan="2">Epoch</th>\
            <th rowspan="2" class="text">Split</th>\
            <th rowspan="2" class="size">Images</th><th rowspan="2" class="size">Texts</th>\
            <th rowspan="2" class="text">Stage</th>\
            <th colspan="3" class="group">Text → image</th>\
            <th colspan="3" class="group">Image → text</th><th rowspan="2">Mean</th></tr>
            <tr><th>R@1</th><th>R@5</th><th>R@10</th><th>R@1</th><th>R@5</th><th>R@10</th></tr>\
            </thead><tbody>

            """
        for evaluation in evaluations {
            html += row(evaluation, "dual", "dual", evaluation.dual, isFirst: true)
            if let scores = evaluation.reranked {
                let depth = evaluation.rerankDepth.map { ", k = \($0)" } ?? ""
                html += row(
                    evaluation, "reranked", "re-ranked\(depth)", scores, isFirst: false)
            }
        }
        return html + "</tbody></table></div>\n"
    }

    private func row(
        _ evaluation: EvaluationMetrics, _ stage: String, _ label: String,
        _ scores: RecallMetrics, isFirst: Bool
    ) -> String {
        let isBest = best.contains {
            $0.split == evaluation.split && $0.stage == stage && $0.step == evaluation.step
        }
        let numbers = [
            scores.textToImage.r1, scores.textToImage.r5, scores.textToImage.r10,
            scores.imageToText.r1, scores.imageToText.r5, scores.imageToText.r10, scores.mean,
        ]
        let classes = [isFirst ? "first" : "", isBest ? "best" : ""].filter { !$0.isEmpty }
        var html = "<tr class=\"\(classes.joined(separator: " "))\">"
        let about = [
            (NumberText.count(evaluation.step), ""), ("\(evaluation.epoch)", ""),
            (Markup.escape(evaluation.split), "text"),
            (NumberText.count(evaluation.images), "size"),
            (NumberText.count(evaluation.texts), "size"),
        ]
        for (text, style) in about {
            html += "<td class=\"\(style)\">\(isFirst ? text : "")</td>"
        }
        html += "<td class=\"text\">\(label)</td>"
        html += numbers.map { "<td>\(NumberText.fixed($0, 1))</td>" }.joined()
        return html + "</tr>\n"
    }
}
