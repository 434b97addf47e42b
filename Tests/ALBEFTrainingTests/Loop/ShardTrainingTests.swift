import ALBEFTraining
import Foundation
import ImageText
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Training on shards")
struct ShardTrainingTests {
    /// Packs the images of a tiny run, and returns the setting that names them.
    private func pack(_ tiny: TinyRun, perShard: Int = 5) throws -> String {
        let dataset = try CaptionDataset(reading: [tiny.folder.appending("train.json")])
        let folder = tiny.folder.appending("shards")
        _ = try ShardPacker(samplesPerShard: perShard).pack(dataset, into: folder)
        return "data.train=['\(folder)']"
    }

    @Test("A run that was interrupted goes on with the samples that are left, bit for bit")
    func resuming() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([try pack(tiny), "data.shuffle_buffer=4"])
            let log = EventLog()
            #expect(try await tiny.train("whole", settings, log: log) == .finished)
            #expect(try await tiny.train("parts", settings, until: 2) == .interrupted)
            #expect(try await tiny.train("parts", nil, until: 7) == .interrupted)
            #expect(try await tiny.train("parts", nil) == .finished)
            #expect(try tiny.differences("whole", "parts") == [])
        }
    }

    @Test("Shards without an index are counted once; a shard that is damaged later is skipped")
    func counting() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            _ = try pack(tiny)
            let shards = folder.appending("shards")
            try FileManager.default.removeItem(atPath: shards.appending("shards.json").string)
            let pattern = "data.train=['\(shards)/{000000..000002}.tar']"
            let settings = try tiny.settings([pattern, "data.shuffle_buffer=4"])
            let first = Events()
            #expect(try await train(tiny, settings, first, until: 4) == .interrupted)
            #expect(first.counted == 3 && first.damaged.isEmpty)
            let path = shards.appending("000001.tar")
            let content = try Data(contentsOf: URL(filePath: path.string))
            try content.prefix(content.count / 2).write(to: URL(filePath: path.string))
            let second = Events()
            #expect(try await train(tiny, nil, second, until: nil) == .finished)
            // The counts of the beginning stay, so the run has as many steps as before.
            #expect(second.counted == nil)
            #expect(second.damaged.map(\.shard) == [ShardAddress(path)])
            #expect(second.damaged.first?.samples == 2)
        }
    }

    private final class Events: Sendable {
        private let state = Mutex((counted: Int?.none, damaged: [ShardDamage]()))
        var counted: Int? { state.withLock { $0.counted } }
        var damaged: [ShardDamage] { state.withLock { $0.damaged } }

        func add(_ event: TrainingRun.Event) {
            state.withLock { state in
                if case .counting(let done, _) = event {
                    state.counted = max(state.counted ?? 0, done)
                }
                if case .damagedShard(let damage) = event { state.damaged.append(damage) }
            }
        }
    }

    private func train(
        _ tiny: TinyRun, _ settings: TrainingConfiguration?, _ events: Events, until limit: Int?
    ) async throws -> TrainingRun.Outcome {
        let path = tiny.folder.appending("run")
        return try await Task {
            let run = try TrainingRun(path, settings: settings) { event in
                events.add(event)
                if case .step(let metrics) = event, metrics.step == limit {
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            return try await run.run()
        }.value
    }

    @Test(
        "Settings that need annotations are refused",
        arguments: [
            ("data.rows=captions", "data.rows"), ("data.group=2", "data.group"),
            ("data.trunk_views=1", "data.trunk_views"), ("data.images=x", "data.images"),
            ("data.cache_megabytes=1", "data.cache_megabytes"),
            ("data.validation=[a.tar]", "data.validation"),
            ("data.train=[a.tar, b.json]", "data.train"),
            ("data.shuffle_buffer=0", "data.shuffle_buffer"),
            ("data.samples_per_epoch=-1", "data.samples_per_epoch"),
        ])
    func refusals(_ change: String, _ key: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let error = #expect(throws: TrainingError.self) {
                try tiny.settings(["data.train=['a-{0..3}.tar']", change])
            }
            #expect(error?.description.contains(key) == true, "\(String(describing: error))")
        }
    }

    @Test(
        "Commands and addresses in settings stay as they are, paths start at the settings' folder")
    func paths() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let text = "data:\n  train: ['a-{0..3}.tar::/x/b.tar', 'pipe:cat c', 'http://h/d']\n"
            let file = folder.appending("settings.yaml")
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            var settings = try SettingsFile(preset: "albef")
            try settings.apply(file: file)
            try settings.apply(assignment: "model.vocabulary=x")
            #expect(
                try settings.configuration().data.train == [
                    "\(folder)/a-{0..3}.tar::/x/b.tar", "pipe:cat c", "http://h/d",
                ])
        }
    }
}
