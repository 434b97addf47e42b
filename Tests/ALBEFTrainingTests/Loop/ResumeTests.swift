import ALBEFTraining
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Going on with a run")
struct ResumeTests {
    /// Settings under which a run has 12 steps; 10 keys in the queue are no multiple of the batch.
    static let variants: [(preset: String, changes: [String])] = [
        ("albef", []), ("clip", []), ("single-tower", ["objectives.dropout=0.3"]),
        ("albef", ["training.accumulation=2", "training.epochs=12"]),
        ("albef", ["objectives.faithful=true", "optimizer.clip_norm=0.5"]),
        (
            "wenlan",
            [
                "data.rows=captions", "objectives.contrastive.positives=image",
                "training.epochs=2", "training.checkpoint_steps=5",
            ]
        ),
    ]

    @Test("A run that was stopped ends as one that was not, bit for bit", arguments: variants)
    func stopped(preset: String, changes: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(
                changes + ["training.log_steps=1"], preset: preset)
            let log = EventLog()
            #expect(try await tiny.train("whole", settings, log: log) == .finished)
            let count = log.steps.count
            #expect(count == 12)
            for (name, stops) in [("once", [6]), ("often", [1, 5, 11])] {
                var next: TrainingConfiguration? = settings
                for stop in stops {
                    #expect(try await tiny.train(name, next, until: stop) == .interrupted)
                    next = nil
                }
                let rest = EventLog()
                #expect(try await tiny.train(name, nil, log: rest) == .finished)
                #expect(rest.steps.map(\.step) == Array((stops.last ?? 0) + 1...count))
                #expect(try tiny.differences("whole", name) == [])
                #expect(rest.steps.last?.loss == log.steps.last?.loss)
            }
        }
    }

    @Test("A run whose evaluation fails keeps its steps, says so, and can be resumed")
    func failedEvaluation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, validation: 6)
            let settings = try tiny.settings([tiny.validation, "evaluation.depth=3"])
            try await tiny.train("whole", settings)
            let (image, away) = (
                folder.appending("images/014.bmp").string, folder.appending("away").string
            )
            try FileManager.default.moveItem(atPath: image, toPath: away)
            let parts = EventLog()
            var next: TrainingConfiguration? = settings
            for _ in 0..<2 {
                let error = await #expect(throws: TrainingError.self) {
                    try await tiny.train("run", next, log: parts)
                }
                let found = try #require(error?.description)
                #expect(found.hasPrefix("the evaluation after step 3 failed: "), "\(found)")
                #expect(found.contains(image) && found.contains("saved up to this step"))
                next = nil
            }
            // The steps were taken once.
            #expect(parts.steps.map(\.step) == [1, 2, 3])
            let status = try String(
                contentsOfFile: folder.appending("run/status.json").string, encoding: .utf8)
            #expect(status.contains("\"failed\""))
            try FileManager.default.moveItem(atPath: away, toPath: image)
            #expect(try await tiny.train("run", nil, log: parts) == .finished)
            #expect(parts.evaluations.map(\.step) == [3, 6, 9, 12])
            #expect(try tiny.differences("whole", "run") == [])
            #expect(try tiny.differences("whole", "run", link: "best") == [])
        }
    }

    @Test("A checkpoint precedes its evaluation")
    func checkpointFirst() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, validation: 6)
            let last = folder.appending("run/last").string
            let path = folder.appending("run")
            let settings = try tiny.settings([tiny.validation, "training.epochs=1"])
            let seen = Mutex<[String]>([])
            let run = try TrainingRun(path, settings: settings) { event in
                guard case .evaluating(let done, _) = event, done == 1 else { return }
                let name = try? FileManager.default.destinationOfSymbolicLink(atPath: last)
                seen.withLock { $0.append(name ?? "none") }
            }
            #expect(try await run.run() == .finished)
            #expect(seen.withLock { $0 } == ["checkpoints/step-00000003"])
        }
    }

    @Test("A run that was killed in its evaluation evaluates again, and logs it once")
    func killedEvaluation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, validation: 6)
            let settings = try tiny.settings([tiny.validation, "training.epochs=2"])
            try await tiny.train("whole", settings)
            // As a kill leaves it: the evaluation is in the log, the checkpoint does not know it.
            try await tiny.train("run", settings, until: 3)
            let log = folder.appending("run/metrics.jsonl").string
            let whole = try String(
                contentsOfFile: folder.appending("whole/metrics.jsonl").string, encoding: .utf8)
            let evaluation = try #require(
                whole.split(separator: "\n").first { $0.contains("\"kind\":\"evaluation\"") })
            try (try String(contentsOfFile: log, encoding: .utf8) + evaluation + "\n")
                .write(toFile: log, atomically: true, encoding: .utf8)
            #expect(try await tiny.train("run", nil) == .finished)
            let records = try MetricsLog.records(of: folder.appending("run/metrics.jsonl"))
            let evaluations = records.filter {
                if case .evaluation = $0 { true } else { false }
            }
            #expect(evaluations.map(\.step) == [3, 6])
            #expect(try tiny.differences("whole", "run", link: "best") == [])
        }
    }

    @Test("A run that was stopped while it was evaluated is evaluated when it is resumed")
    func stoppedBeforeEvaluation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder, validation: 6)
            let settings = try tiny.settings([tiny.validation, "evaluation.depth=3"])
            let log = EventLog()
            #expect(try await tiny.train("whole", settings, log: log) == .finished)
            #expect(log.evaluations.map(\.step) == [3, 6, 9, 12])
            // Every epoch ends with a judgement, during which the cancellation arrives.
            let parts = EventLog()
            #expect(try await tiny.train("run", settings, until: 3, log: parts) == .interrupted)
            #expect(try await tiny.train("run", nil, until: 9, log: parts) == .interrupted)
            #expect(try await tiny.train("run", nil, log: parts) == .finished)
            #expect(parts.evaluations.map(\.step) == [3, 6, 9, 12])
            #expect(parts.evaluations.map(\.dual) == log.evaluations.map(\.dual))
            #expect(parts.evaluations.map(\.reranked) == log.evaluations.map(\.reranked))
            #expect(try tiny.differences("whole", "run") == [])
            #expect(try tiny.differences("whole", "run", link: "best") == [])
        }
    }

    @Test("Resuming a run that is done changes nothing")
    func finished() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(["training.epochs=1"])
            try await tiny.train("first", settings)
            try await tiny.train("run", settings)
            let log = EventLog()
            #expect(try await tiny.train("run", nil, log: log) == .finished)
            #expect(log.steps.isEmpty)
            #expect(try tiny.differences("first", "run") == [])
        }
    }

    @Test("Checkpoints that nothing points to are deleted, and so is what a crash left")
    func pruning() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            try await tiny.train(
                "run", try tiny.settings(["training.checkpoint_steps=1"]), until: 5)
            let checkpoints = folder.appending("run/checkpoints").string
            func names() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: checkpoints)
            }
            #expect(try names() == ["step-00000005"])
            for left in [".step-00000006.tmp", "step-00000006"] {
                try FileManager.default.createDirectory(
                    atPath: "\(checkpoints)/\(left)", withIntermediateDirectories: false)
            }
            try await tiny.train("run", nil)
            #expect(try names() == ["step-00000012"])
        }
    }

    @Test("A new run does not overwrite one, and there must be one to go on with")
    func refusals() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(["training.epochs=1"])
            try await tiny.train("run", settings, until: 1)
            let occupied = await #expect(throws: TrainingError.self) {
                try await tiny.train("run", settings)
            }
            #expect(
                occupied?.description
                    == "\(folder)/run: contains a run already; resume it with --resume, or choose"
                    + " another directory")
            let missing = await #expect(throws: TrainingError.self) {
                try await tiny.train("nowhere", nil)
            }
            #expect(
                missing?.description
                    == "\(folder)/nowhere: is not a training run: it has no configuration.yaml")
            #expect(!FileManager.default.fileExists(atPath: folder.appending("nowhere").string))
        }
    }

    @Test("Validation without a caption is refused at the start, by its setting")
    func emptyValidation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let path = folder.appending("validation.json").string
            for (text, message) in [
                ("[]", "contains no images to evaluate; name data with images"),
                (
                    #"[{"image": "images/000.bmp", "caption": []}]"#,
                    "none of the 1 images has a caption, so there is nothing to evaluate; name data"
                        + " with captions"
                ),
            ] {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                let settings = try tiny.settings([tiny.validation])
                let error = await #expect(throws: TrainingError.self) {
                    try await tiny.train("run", settings)
                }
                #expect(error?.description == "data.validation (\(path)): \(message)")
            }
        }
    }

    @Test("What is wrong with the settings shows before the run's directory is made")
    func nothingIsBegun() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let empty = folder.appending("empty.json").string
            try "[]".write(toFile: empty, atomically: true, encoding: .utf8)
            let bare = folder.appending("bare.json").string
            try #"[{"image": "images/000.bmp", "caption": []}]"#
                .write(toFile: bare, atomically: true, encoding: .utf8)
            for change in [
                "data.validation=['\(empty)']", "data.validation=['\(bare)']",
                "training.batch_size=13", "training.accumulation=4", "model.vocabulary=/nowhere",
                "data.validation=[/nowhere.json]", "model.image_size=33", "training.device=tpu",
                "model.start=/nowhere",
            ] {
                let settings = try tiny.settings([change])
                await #expect(throws: (any Error).self, "\(change)") {
                    try await tiny.train("run", settings)
                }
                #expect(!FileManager.default.fileExists(atPath: folder.appending("run").string))
            }
        }
    }
}
