import ALBEF
import ALBEFTraining
import Foundation
import Storage

/// The curves of a run.
struct RunCharts {
    private let run: RecordedRun
    /// The first and last step, which all charts share so that they can be compared.
    private let steps: [Double]

    init(run: RecordedRun) {
        self.run = run
        let all =
            run.steps.map(\.step) + run.evaluations.map(\.step) + run.tasks.map(\.step)
        steps = [all.min(), all.max()].compactMap { $0.map(Double.init) }
    }

    /// Returns the total loss as a large chart, then one chart per objective.
    func losses() -> String {
        var html = ""
        if let chart = smoothed("Total loss", "nats", \.loss, colour: 1, isLarge: true) {
            html += chart.html()
        }
        let parts: [(String, (StepMetrics) -> Double?, Int)] = [
            ("Image-text contrastive", \.itc, 1), ("Image-text matching", \.itm, 1),
            ("Masked language modelling", \.mlm, 1),
        ]
        let charts = parts.compactMap { smoothed($0, "nats", $1, colour: $2)?.html() }
        if !charts.isEmpty { html += Self.grid(charts) }
        return html
    }

    /// Returns charts of learning rate, gradient, temperature, distillation, matching accuracy and
    /// speed.
    func optimization() -> String {
        let charts = [
            plain("Learning rate", "", \.learningRate, includesZero: true),
            gradient(),
            plain("Temperature", "", \.temperature),
            plain("Distillation weight α", "", \.alpha, includesZero: true),
            smoothed(
                "Matching accuracy", "%", { $0.itmAccuracy.map { $0 * 100 } }, colour: 1,
                limit: 100
            ) {
                NumberText.fixed($0, 1)
            },
            smoothed(
                "Training accuracy", "%", { $0.accuracy.map { $0 * 100 } }, colour: 1, limit: 100
            ) {
                NumberText.fixed($0, 1)
            },
            smoothed("Speed", "pairs/s", \.pairsPerSecond, colour: 1, includesZero: true) {
                NumberText.rate($0)
            },
        ]
        return Self.grid(charts.compactMap { $0?.html() })
    }

    /// Returns the accuracy of a downstream task.
    func accuracy() -> String {
        let series = Series(points: run.tasks.map { .init(x: Double($0.step), y: $0.value) })
        let chart = LineChart(
            title: "Accuracy", unit: "%",
            last: series.points.last.map { NumberText.fixed($0.y, 1) },
            lines: [.init(series: series, style: .marked, colour: 1)],
            axis: .values(series.finite, includesZero: true, limit: 100), steps: steps)
        return Self.grid([chart.html()], wide: true)
    }

    /// Returns the recall of every split, re-ranked and dual, in one chart per direction.
    func recall() -> String {
        let splits = RunSummary.splits(run)
        return splits.map { split in
            let evaluations = run.evaluations.filter { $0.split == split }
            let suffix = splits.count > 1 ? " · \(Markup.escape(split))" : ""
            return Self.grid(
                [
                    recall("Text → image" + suffix, evaluations, \.textToImage).html(),
                    recall("Image → text" + suffix, evaluations, \.imageToText).html(),
                ], wide: true)
        }.joined()
    }

    private func recall(
        _ title: String, _ evaluations: [EvaluationMetrics],
        _ direction: (RecallMetrics) -> RecallMetrics.Direction
    ) -> LineChart {
        let depths: [(String, (RecallMetrics.Direction) -> Double)] = [
            ("R@1", \.r1), ("R@5", \.r5), ("R@10", \.r10),
        ]
        let isReranked = evaluations.contains { $0.reranked != nil }
        var lines: [LineChart.Line] = []
        for (name, value) in depths {
            func series(_ scores: (EvaluationMetrics) -> RecallMetrics?) -> Series {
                Series(
                    points: evaluations.compactMap { evaluation in
                        scores(evaluation).map {
                            .init(x: Double(evaluation.step), y: value(direction($0)))
                        }
                    })
            }
            lines.append(
                .init(
                    series: series { $0.dual }, style: .markedDashed, colour: 2,
                    endLabel: isReranked ? nil : name))
            if isReranked {
                lines.append(
                    .init(
                        series: series { $0.reranked }, style: .marked, colour: 1, endLabel: name))
            }
        }
        var legend = [
            LineChart.LegendEntry(label: "two towers (dual)", style: .dashed, colour: 2)
        ]
        if isReranked {
            legend.insert(.init(label: "re-ranked by fusion", style: .solid, colour: 1), at: 0)
        }
        let axis = Axis.values(
            lines.flatMap { Array($0.series.finite) }, includesZero: true, limit: 100)
        return LineChart(
            title: title, unit: "recall, %", lines: lines, legend: legend, axis: axis,
            steps: steps)
    }

    private func smoothed(
        _ title: String, _ unit: String, _ value: (StepMetrics) -> Double?, colour: Int,
        includesZero: Bool = false, limit: Double? = nil, isLarge: Bool = false,
        format: (Double) -> String = NumberText.loss
    ) -> LineChart? {
        guard let series = Series(run.steps, value) else { return nil }
        let smoothed = series.smoothed
        var lines = [LineChart.Line(series: smoothed, style: .solid, colour: colour)]
        var legend: [LineChart.LegendEntry] = []
        if series.points.count > 1 {
            lines.insert(.init(series: series, style: .faint, colour: colour), at: 0)
            if isLarge {
                legend = [
                    .init(label: "as measured", style: .faint, colour: colour),
                    .init(label: "moving average", style: .solid, colour: colour),
                ]
            }
        }
        return LineChart(
            title: title, unit: unit,
            last: smoothed.points.last { $0.y.isFinite }.map { format($0.y) }, lines: lines,
            legend: legend,
            axis: .values(series.finite, includesZero: includesZero, limit: limit), steps: steps,
            isLarge: isLarge)
    }

    private func plain(
        _ title: String, _ unit: String, _ value: (StepMetrics) -> Double?,
        includesZero: Bool = false
    ) -> LineChart? {
        guard let series = Series(run.steps, value) else { return nil }
        return LineChart(
            title: title, unit: unit,
            last: series.points.last { $0.y.isFinite }.map { Self.short($0.y) },
            lines: [.init(series: series, style: .solid, colour: 1)],
            axis: .values(series.finite, includesZero: includesZero), steps: steps)
    }

    /// Returns the gradient norm, on a logarithmic scale if spikes would flatten the rest.
    private func gradient() -> LineChart? {
        guard
            var chart = smoothed(
                "Gradient norm", "", \.gradientNorm, colour: 1, includesZero: true),
            let series = Series(run.steps, \.gradientNorm)
        else { return nil }
        let sorted = series.finite.sorted()
        if let low = sorted.first, let high = sorted.last, low > 0,
            high > 8 * sorted[sorted.count / 2]
        {
            chart.axis = .logarithmic(sorted)
            chart.unit = "log scale"
        }
        return chart
    }

    private static func grid(_ charts: [String], wide: Bool = false) -> String {
        "<div class=\"charts\(wide ? " wide" : "")\">\n\(charts.joined())</div>\n"
    }

    /// Formats a number with three significant figures, if needed with a power of ten.
    private static func short(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return NumberText.fixed(value, 0) }
        if abs(value) >= 0.001, abs(value) < 10_000 { return String(format: "%.3g", value) }
        let parts = String(format: "%.2e", value).split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return "\(value)" }
        return "\(parts[0])×10<sup>\(exponent < 0 ? "−" : "")\(exponent.magnitude)</sup>"
    }
}
