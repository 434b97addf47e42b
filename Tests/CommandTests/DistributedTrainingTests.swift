import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("albef pretrain in several processes", .serialized, .timeLimit(.minutes(30)))
struct DistributedTrainingTests {
    /// Settings under which the number of processes makes no difference.
    ///
    /// Dropout has a sequence of its own in each process. Small buckets exercise their order.
    static let comparable = [
        "objectives.dropout=0", "training.batch_size=4", "training.accumulation=1",
        "distributed.bucket_megabytes=0.02", "evaluation.steps=100", "optimizer.clip_norm=1",
    ]

    private static func arguments(
        _ folder: TrainingFolder, _ run: String, _ changes: [String] = []
    ) -> [String] {
        folder.arguments(run) + (comparable + changes).flatMap { ["--set", $0] }
    }

    @Test("Two and four processes end with the parameters of one", arguments: Case.all)
    func equals(_ example: Case) async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 2)
            for count in example.counts {
                let changes =
                    example.changes + (count == 4 ? ["distributed.shard_optimizer=true"] : [])
                let ranks = try Ranks(
                    count, Self.arguments(folder, "run-\(count)", changes), folder: path)
                for (status, errors) in try await ranks.ended() {
                    #expect(status == 0, "\(errors)")
                }
            }
            let alone = try Self.tensors(folder, "run-1")
            for count in example.counts.dropFirst() {
                try Self.expectEqual(alone, try Self.tensors(folder, "run-\(count)"), "\(count)")
            }
        }
    }

    /// Settings whose exchange differs.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let counts: [Int]
        let changes: [String]

        static let all = [
            Case(testDescription: "queues and hard negatives", counts: [1, 2, 4], changes: []),
            Case(
                testDescription: "no teacher, accumulated", counts: [1, 2],
                changes: [
                    "objectives.teacher.enabled=false", "objectives.contrastive.queue=0",
                    "objectives.contrastive.positives=caption", "training.accumulation=2",
                ]),
        ]
    }

    @Test("Two processes fine-tune for a task as one does")
    func task() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1)
            let start = try await Command.run(folder.arguments("start"), folder: path)
            #expect(start.status == 0, "\(start.errors)")
            let labels = ["entailment", "neutral", "contradiction"]
            let rows: [[String: String]] = (0..<12).map { index in
                [
                    "image": String(format: "images/%03d.bmp", index), "sentence": "two dogs",
                    "label": labels[index % 3],
                ]
            }
            try JSONSerialization.data(withJSONObject: rows)
                .write(to: URL(filePath: path.appending("ve.json").string))
            let changes =
                Self.comparable + [
                    "model.image_size=32", "training.epochs=2", "training.device=cpu",
                    "optimizer.learning_rate=1e-3",
                ]
            for count in [1, 2] {
                let ranks = try Ranks(
                    count,
                    [
                        "finetune", "entailment", "--model", "start/last", "--train", "ve.json",
                        "--run", "task-\(count)", "--threads", "1",
                    ] + changes.flatMap { ["--set", $0] }, folder: path)
                for (status, errors) in try await ranks.ended() {
                    #expect(status == 0, "\(errors)")
                }
            }
            try Self.expectEqual(
                Self.tensors(folder, "task-1"), Self.tensors(folder, "task-2"), "task")
        }
    }

    @Test("The death of a process ends the others, and two resume what four began")
    func kill() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 12)
            let ranks = try Ranks(4, Self.arguments(folder, "run"), folder: path)
            try await folder.wait(for: ranks.processes[0]) { folder.lastStep("run") > 0 }
            Foundation.kill(ranks.processes[2].processIdentifier, SIGKILL)
            for (rank, end) in try await ranks.ended().enumerated() where rank != 2 {
                #expect(end.status == 1)
                #expect(
                    end.errors.contains("rank 2 of 4 is gone: killed, crashed or cut off"),
                    "rank \(rank): \(end.errors)")
                #expect(end.errors.contains("Resume with --resume from run/last"), "\(end.errors)")
            }
            #expect(folder.lastStep("run") < 36)

            let two = try Ranks(2, Self.arguments(folder, "run"), folder: path)
            for (status, errors) in try await two.ended() { #expect(status == 0, "\(errors)") }
            let whole = try await Command.run(
                Self.arguments(folder, "whole"), folder: path)
            #expect(whole.status == 0, "\(whole.errors)")
            try Self.expectEqual(
                try Self.tensors(folder, "whole"), try Self.tensors(folder, "run"), "resumed")
        }
    }

    @Test("Four processes share shards; two go on with the epoch that they began")
    func shards() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 200)
            let pack = ["data", "pack", "train.json", "shards", "--samples-per-shard", "5"]
            #expect(try await Command.run(pack, folder: path).status == 0)
            // Without the index, the first process has to count for all.
            try FileManager.default.removeItem(atPath: path.pushing("shards/shards.json").string)
            let changes = ["data.train=['shards/*.tar']", "data.shuffle_buffer=3"]
            let four = try Ranks(4, Self.arguments(folder, "run", changes), folder: path)
            try await folder.wait(for: four.processes[0]) { folder.lastStep("run") > 0 }
            Foundation.kill(four.processes[1].processIdentifier, SIGTERM)
            for (rank, end) in try await four.ended().enumerated() {
                #expect(end.status == 130, "rank \(rank): \(end.errors)")
            }
            #expect(try Self.epochRanks(path) == 4)
            let steps = folder.lastStep("run")
            #expect(steps > 0 && steps < 600)

            let two = try Ranks(2, Self.arguments(folder, "run", changes), folder: path)
            for (status, errors) in try await two.ended() { #expect(status == 0, "\(errors)") }
            #expect(folder.lastStep("run") == 600)
            #expect(try Self.epochRanks(path) == 2)
        }
    }

    private static func epochRanks(_ folder: FilePath) throws -> Int? {
        let file = folder.pushing("run/last/progress.json")
        let content = try Data(contentsOf: URL(filePath: file.string))
        let progress = try JSONSerialization.jsonObject(with: content) as? [String: Any]
        return progress?["epochRanks"] as? Int
    }

    @Test("Refuses batches that cannot be divided")
    func refusals() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1)
            let ranks = try Ranks(3, Self.arguments(folder, "run"), folder: path)
            for (status, errors) in try await ranks.ended() {
                #expect(status == 1)
                #expect(
                    errors.contains("training.batch_size is 4, which 3 processes cannot divide"),
                    "\(errors)")
            }
        }
    }

    /// The weights, the teacher and the queues of the last checkpoint.
    private static func tensors(
        _ folder: TrainingFolder, _ run: String
    ) throws -> [String: [Float]] {
        let file = try SafetensorsFile(
            folder.path.pushing(FilePath("\(run)/last/model.safetensors")))
        return try file.tensors.names.reduce(into: [:]) { found, name in
            found[name] = try Tensor(file.tensor(name)).values(as: Float.self)
        }
    }

    /// Compares all parameters except the biases of attention keys.
    ///
    /// They add the same number to every score of a row, which softmax ignores. So their gradients
    /// are 0, and AdamW turns the rounding of that 0 into steps.
    private static func expectEqual(
        _ some: [String: [Float]], _ others: [String: [Float]], _ what: String
    ) throws {
        #expect(Set(some.keys) == Set(others.keys))
        for (name, values) in some where !name.hasSuffix("self.key.bias") {
            let found = try #require(others[name])
            let width = values.count / 3
            let distances = zip(values, found).enumerated().map { index, pair in
                let isKey = name.hasSuffix("qkv.bias") && (width..<2 * width).contains(index)
                return isKey ? 0 : abs(pair.0 - pair.1)
            }
            #expect((distances.max() ?? 0) <= 1e-5, "\(what): \(name)")
        }
    }
}
