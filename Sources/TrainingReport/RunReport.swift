import ALBEFTraining
public import Foundation
import Storage
public import SystemPackage
import Torch

/// A training run as one self-contained HTML page, without scripts, other files or network access.
public struct RunReport: Sendable {
    private let run: RecordedRun
    private let summary: RunSummary
    /// Whether the images of the samples are embedded.
    private let hasImages: Bool
    private let date: Date

    /// Creates the report of a run.
    ///
    /// - Parameters:
    ///   - run: The run.
    ///   - hasImages: Whether to embed small copies of the samples' images if their files still
    ///     exist; otherwise only their names are shown. `true` by default.
    ///   - date: The date on the page; now by default.
    public init(_ run: RecordedRun, hasImages: Bool = true, date: Date = Date()) {
        self.run = run
        self.hasImages = hasImages
        self.date = date
        summary = RunSummary(run)
    }

    /// Returns the page.
    ///
    /// - Parameter progress: Called with the number of images done and the number of all images.
    /// - Throws: `CancellationError` if the task is cancelled.
    public func html(progress: (Int, Int) -> Void = { _, _ in }) throws -> String {
        let gallery = SampleSection(run.samples)
        let thumbnails =
            hasImages
            ? try Thumbnails(gallery.paths, run: run.directory, progress: progress) : Thumbnails()
        let charts = RunCharts(run: run)
        let losses = charts.losses()
        var html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(Markup.escape(run.name)) · training report</title>
            <style>
            \(ReportStyle.css)
            \(thumbnails.css)</style>
            </head>
            <body><main>

            """
        html += header() + notices() + RunTiles(summary: summary).html()
        if !run.steps.isEmpty { html += Self.section("Losses", losses) }
        if !run.evaluations.isEmpty {
            let table = EvaluationTable(evaluations: run.evaluations, best: summary.best)
            html += Self.section(
                "Retrieval", charts.recall() + table.html(),
                note: "Recall at 1, 5 and 10 in percent. The best mean of each stage is bold.")
        }
        if !run.tasks.isEmpty {
            html += Self.section(
                "Task", charts.accuracy(),
                note: "On \(NumberText.count(run.tasks.last?.items ?? 0)) items of validation.")
        }
        if !run.steps.isEmpty { html += Self.section("Optimization", charts.optimization()) }
        if !gallery.samples.isEmpty {
            html += Self.section(
                "Sample retrievals", gallery.html(thumbnails),
                note: "Each query is shown beside the image it was written for. Correct results "
                    + "are framed." + Self.omitted(run.samples.count, thumbnails.missing))
        }
        if let configuration = run.configuration {
            html += Self.section(
                "Settings", "<pre>\(Markup.escape(configuration))</pre>\n",
                note: "The run’s \(RunFile.configuration), unchanged.")
        }
        return html + footer() + "</main></body>\n</html>\n"
    }

    /// Writes the page atomically, so that a failure leaves no partial file.
    ///
    /// - Parameters:
    ///   - path: The file of the page; an existing file is replaced.
    ///   - progress: Called with the number of images done and the number of all images.
    /// - Throws: `FileError` if the file cannot be written; `CancellationError` if the task is
    ///   cancelled.
    public func write(to path: FilePath, progress: (Int, Int) -> Void = { _, _ in }) throws {
        try AtomicFile.write(try html(progress: progress).utf8, to: path)
    }

    private func header() -> String {
        var html = "<header class=\"top\"><p class=\"kind\">ALBEF training run</p>\n"
        html += "<h1>\(Markup.escape(run.name))</h1><p class=\"state\">"
        html += "<span class=\"pill \(summary.state.rawValue)\">\(Self.label(summary.state))</span>"
        if let total = summary.totalSteps, total > 0 {
            let done = min(1, Double(summary.step) / Double(total))
            html += "<span class=\"bar\"><i style=\"width:\(Markup.percent(done))\"></i></span>"
            html += "<span>\(NumberText.fixed((done * 100).rounded(.down), 0)) %</span>"
        }
        if let updated = run.updated { html += "<span>last entry \(Self.time(updated))</span>" }
        return html + "</p></header>\n"
    }

    private func notices() -> String {
        guard summary.brokenSteps > 0 else { return "" }
        let steps = summary.brokenSteps == 1 ? "1 step has" : "\(summary.brokenSteps) steps have"
        return "<p class=\"notice\">\(steps) a loss that is not a number.</p>\n"
    }

    private func footer() -> String {
        "<footer>Made by <code>albef report</code> on \(Self.time(date)). Curves run over steps; a "
            + "gap marks a value that was not a number.</footer>\n"
    }

    private static func section(_ title: String, _ body: String, note: String = "") -> String {
        let note = note.isEmpty ? "" : "<p class=\"note\">\(note)</p>\n"
        return "<section><h2>\(title)</h2>\n\(note)\(body)</section>\n"
    }

    private static func omitted(_ samples: Int, _ missing: Int) -> String {
        var text = ""
        if samples > SampleSection.maximumSamples {
            text +=
                " Only the first \(SampleSection.maximumSamples) of \(samples) queries are shown."
        }
        if missing > 0 {
            text +=
                missing == 1
                ? " 1 image could not be read." : " \(missing) images could not be read."
        }
        return text
    }

    private static func label(_ state: RecordedRun.Activity) -> String {
        switch state {
        case .running: "running"
        case .finished: "finished"
        case .interrupted: "interrupted"
        case .failed: "failed"
        case .stopped: "stopped without notice"
        case .unknown: "state unknown"
        }
    }

    /// Formats a date and a time of day in UTC.
    private static func time(_ date: Date) -> String {
        let text = date.formatted(
            .iso8601.year().month().day().dateSeparator(.dash).dateTimeSeparator(.space)
                .time(includingFractionalSeconds: false).timeSeparator(.colon))
        return text.prefix(16) + " UTC"
    }
}
