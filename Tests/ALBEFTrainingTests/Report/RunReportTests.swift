import ALBEFTraining
import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing
import TrainingReport

@Suite("Run report")
struct RunReportTests {
    /// Creates a run of ten steps with two evaluations, settings, and a sample with an image.
    private func withRun(_ body: (FilePath) throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let run = folder.appending("a <run>")
            let observer = try RunObserver(run, totalSteps: 40, totalEpochs: 4)
            try run.appending(RunFile.configuration).write("mask: <mask> & 15 %\n")
            for step in 1...10 { try observer.record(Measurements.step(step)) }
            try observer.record(Measurements.evaluation(5, 60))
            try observer.record(Measurements.evaluation(10, 55))
            let image = Fixtures.path("images/rgb.png").string
            try observer.record(samples: [Measurements.sample(image)])
            try body(run)
        }
    }

    /// Text that would make a browser fetch or run something.
    private func outside(_ html: String) -> [String] {
        ["http:", "https:", "//", "<script", "<link", "<iframe", "@import", "src=", "onload"]
            .filter { needle in
                html.replacing(/base64,[A-Za-z0-9+\/=]+/, with: "").contains(needle)
            }
    }

    @Test("A page is complete and self-contained")
    func page() async throws {
        try await withRun { directory in
            let html = try RunReport(RecordedRun(directory)).html()
            #expect(outside(html).isEmpty)
            for part in [
                "<title>a &lt;run&gt; · training report</title>", "of 40 · epoch 2 of 4",
                "mask: &lt;mask&gt; &amp; 15 %", "a &lt;dog&gt; &amp; a &quot;cat&quot;",
                "Total loss", "Image-text contrastive", "Image-text matching",
                "Masked language modelling", "Learning rate", "Gradient norm", "Temperature",
                "Distillation weight α", "Matching accuracy", "Speed", "Text → image",
                "re-ranked, k = 16", "prefers-color-scheme:dark", "1 image could not be read",
                "far-away.jpg",
            ] {
                #expect(html.contains(part), "\(part)")
            }
            // The order by recall, then by the fusion encoder.
            let places = html.matches(of: /<figcaption><b>(\d)<\/b>(<span class="check">)?/)
            #expect(places.map(\.output.1) == ["1", "2", "1", "2"])
            #expect(places.map { $0.output.2 != nil } == [false, true, true, false])
            // The image is shown three times but embedded once.
            #expect(html.matches(of: /class="thumb p0"/).count == 3)
            #expect(html.matches(of: /base64,/).count == 1)
            #expect(!html.contains("NaN") && !html.contains("nan"))
        }
    }

    @Test("An embedded image is a small JPEG of the file")
    func thumbnail() async throws {
        try await withRun { directory in
            let html = try RunReport(RecordedRun(directory)).html()
            let match = try #require(try /base64,([A-Za-z0-9+\/=]+)/.firstMatch(in: html))
            let bytes = [UInt8](try #require(Data(base64Encoded: String(match.output.1))))
            let image = try ImageLoader().load(bytes, named: "embedded")
            let original = try ImageLoader().load(Fixtures.path("images/rgb.png"))
            #expect(max(image.width, image.height) <= 144)
            let scale = Double(image.width) / Double(original.width)
            #expect(abs(Double(original.height) * scale - Double(image.height)) <= 1)
            let none = try RunReport(RecordedRun(directory), hasImages: false).html()
            #expect(!none.contains("base64") && none.contains("rgb.png"))
        }
    }

    @Test("The summary has the best evaluation and the last step")
    func summary() async throws {
        try await withRun { directory in
            let summary = RunSummary(try RecordedRun(directory))
            #expect(summary.step == 10 && summary.totalSteps == 40 && summary.pairsSeen == 80)
            #expect(summary.best.map(\.stage) == ["dual", "reranked"])
            #expect(summary.best.map(\.step) == [5, 5])
            #expect(summary.lastEvaluations == [Measurements.evaluation(10, 55)])
            #expect(summary.secondsLeft == 60 && summary.pairsPerSecond == 100)
            #expect(summary.losses.itm == 0.5)
            let json = try JSONSerialization.jsonObject(with: Data(summary.json().utf8))
            let object = try #require(json as? [String: Any])
            #expect(object["state"] as? String == "running")
            #expect(object["peak_megabytes"] as? Int == 640)
        }
    }

    @Test("A page needs no more than one step or evaluation, even with a loss of NaN")
    func littleData() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let log = folder.appending(RunFile.metrics)
            var metrics = StepMetrics(
                step: 1, epoch: 1, seconds: 1, loss: 3, alpha: 0, learningRate: 0,
                pairsPerSecond: 2, residentMegabytes: 100)
            try MetricsLog(log).append(.step(metrics))
            let one = try RunReport(RecordedRun(folder)).html()
            #expect(one.contains("class=\"solid c1 alone\""))
            #expect(!one.contains("Image-text contrastive") && !one.contains("Retrieval"))
            #expect(one.contains("state unknown"))
            metrics.step = 2
            metrics.loss = .nan
            try MetricsLog(log).append(.step(metrics))
            let two = try RunReport(RecordedRun(folder)).html()
            #expect(two.contains("1 step has a loss that is not a number"))
            try log.write("")
            try MetricsLog(log).append(.step(metrics))
            let broken = try RunReport(RecordedRun(folder)).html()
            #expect(broken.contains("Total loss"))
            try log.write("")
            try MetricsLog(log).append(.evaluation(Measurements.evaluation(3)))
            let evaluated = try RunReport(RecordedRun(folder)).html()
            #expect(evaluated.contains("Text → image") && !evaluated.contains("Total loss"))
        }
    }

    @Test("Errors state what is wrong with a directory")
    func errors() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            func reason() throws -> String {
                "\(try #require(#expect(throws: RunError.self) { try RecordedRun(folder) }))"
            }
            #expect(try reason() == "\(folder): is not a training run: it has no metrics.jsonl")
            let log = folder.appending(RunFile.metrics)
            try log.write("{\"kind\":\"st")
            #expect(
                try reason()
                    == "\(log): is empty: no step has been recorded yet; wait for the first one")
            try MetricsLog(log).append(.step(Measurements.step(1)))
            try folder.appending(RunFile.samples).write("[{\"query\": 3}]")
            #expect(try reason().contains("samples.json: "))
            try folder.appending(RunFile.samples).write("[]")
            try folder.appending(RunFile.status).write("{}")
            #expect(try reason().contains("status.json: 'state' is missing"))
        }
    }
}
