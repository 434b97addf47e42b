import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Metrics log")
struct MetricsLogTests {
    @Test("Records come back as they were, numbers that are none included")
    func roundTrip() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let log = try MetricsLog(folder.appending("metrics.jsonl"))
            var broken = Measurements.step(2)
            broken.loss = .infinity
            broken.itc = nil
            broken.gradientNorm = -.infinity
            let records: [RunRecord] = [
                .step(Measurements.step(1)), .step(broken), .evaluation(Measurements.evaluation(2)),
            ]
            for record in records { try log.append(record) }
            #expect(try log.records() == records)
            var last = Measurements.step(3)
            last.loss = .nan
            try log.append(.step(last))
            guard case .step(let read) = try log.records()[3] else {
                Issue.record("no step")
                return
            }
            #expect(read.loss.isNaN && read.itc == last.itc)
        }
    }

    @Test("A line is one object with snake-case keys and its kind; what is nil is absent")
    func format() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("metrics.jsonl")
            let log = try MetricsLog(path)
            try log.append(
                .step(
                    StepMetrics(
                        step: 1, epoch: 1, seconds: 0.5, loss: 7.25, alpha: 0, learningRate: 0.5,
                        pairsPerSecond: 16, residentMegabytes: 512)))
            try log.append(.evaluation(Measurements.evaluation(1)))
            let lines = try path.text().split(separator: "\n")
            #expect(
                lines[0] == """
                    {"alpha":0,"epoch":1,"kind":"step","learning_rate":0.5,"loss":7.25,\
                    "pairs_per_second":16,"resident_megabytes":512,"seconds":0.5,"step":1}
                    """)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any])
            #expect(object["kind"] as? String == "evaluation")
            #expect(object["rerank_depth"] as? Int == 16)
            let dual = try #require(object["dual"] as? [String: Any])
            #expect(dual["mean"] as? Double == 110.0 / 3)
            #expect(
                (dual["text_to_image"] as? [String: Double]) == ["r1": 20, "r5": 40, "r10": 50])
        }
    }

    @Test("What a killed process left of a line is dropped, wherever it was cut")
    func cutShort() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("metrics.jsonl")
            let log = try MetricsLog(path)
            try log.append(.step(Measurements.step(1)))
            let first = try path.text()
            try log.append(.step(Measurements.step(2)))
            let both = try path.text()
            for length in stride(from: first.utf8.count, to: both.utf8.count, by: 7) {
                try path.write(String(decoding: both.utf8.prefix(length), as: UTF8.self))
                #expect(try MetricsLog.records(of: path) == [.step(Measurements.step(1))])
                let again = try MetricsLog(path)
                #expect(try path.text() == first)
                try again.append(.step(Measurements.step(2)))
                #expect(try path.text() == both)
            }
        }
    }

    @Test("A broken line is named")
    func brokenLine() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("metrics.jsonl")
            try MetricsLog(path).append(.step(Measurements.step(1)))
            let good = try path.text()
            let broken: [(line: String, expected: String)] = [
                ("{\"kind\":\"step\",\"step\":", "metrics.jsonl:2: "), ("", "metrics.jsonl:2: "),
                ("{\"kind\":\"guess\"}", "metrics.jsonl:2: kind: "),
                ("{\"kind\":\"step\",\"step\":4}", "metrics.jsonl:2: 'epoch' is missing"),
                (
                    String(good.dropLast()).replacing("\"epoch\":1", with: "\"epoch\":\"x\""),
                    "metrics.jsonl:2: epoch: "
                ),
            ]
            for (line, expected) in broken {
                try path.write(good + line + "\n" + good)
                let error = #expect(throws: RunError.self) { try MetricsLog.records(of: path) }
                #expect("\(try #require(error))".contains(expected))
            }
        }
    }

    @Test("Truncation keeps the lines up to a step as they are, and the log goes on")
    func truncation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("metrics.jsonl")
            var log = try MetricsLog(path)
            for step in 1...3 {
                try log.append(.step(Measurements.step(step)))
                try log.append(.evaluation(Measurements.evaluation(step)))
            }
            let lines = try path.text().split(separator: "\n")
            try log.truncate(after: 3, isEvaluated: false)
            #expect(try path.text().split(separator: "\n") == Array(lines.prefix(5)))
            try log.truncate(after: 2)
            #expect(try path.text().split(separator: "\n") == Array(lines.prefix(4)))
            try log.append(.step(Measurements.step(3)))
            #expect(try path.text().split(separator: "\n") == Array(lines.prefix(5)))
            try log.truncate(after: 9)
            #expect(try path.text().split(separator: "\n") == Array(lines.prefix(5)))
            try log.truncate(after: 0)
            #expect(try log.records().isEmpty && path.text().isEmpty)
            #expect(try folder.names() == ["metrics.jsonl"])
        }
    }
}
