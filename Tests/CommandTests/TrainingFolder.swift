import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

/// A folder with images, captions, a vocabulary and the smallest settings.
struct TrainingFolder {
    let path: FilePath

    /// Writes the files.
    ///
    /// - Parameter epochs: the number of epochs, of three steps each.
    init(_ path: FilePath, epochs: Int) throws {
        self.path = path
        try TinyImages.write(18, to: path.appending("images"))
        try write(0..<12, to: "train.json")
        try write(12..<18, to: "validation.json")
        try FileManager.default.copyItem(
            atPath: Fixtures.tinyVocabulary.string,
            toPath: path.appending("vocab.txt").string)
        try """
        model: {vocabulary: vocab.txt, image_size: 32, image_width: 16, image_depth: 1,
          image_heads: 2, text_width: 16, text_depth: 1, fusion_depth: 1, text_heads: 2,
          positions: 16, maximum_tokens: 12, embedding_width: 8}
        data: {train: [train.json], validation: [validation.json]}
        objectives: {contrastive: {queue: 10}}
        optimizer: {learning_rate: 1.0e-3, warmup_steps: 4}
        training: {epochs: \(epochs), batch_size: 4, device: cpu, log_steps: 2,
          checkpoint_steps: 4}
        evaluation: {steps: 8, depth: 2}
        """.write(
            toFile: path.appending("settings.yaml").string, atomically: true, encoding: .utf8)
    }

    private func write(_ images: Range<Int>, to name: String) throws {
        let words = ["red", "cat", "two", "dogs", "a bus", "near", "tree", "man"]
        let entries: [[String: String]] = images.map { index in
            [
                "image": String(format: "images/%03d.bmp", index),
                "caption": (0..<4).map { words[(index * 3 + $0 * ($0 + index)) % 8] }
                    .joined(separator: " "),
            ]
        }
        try JSONSerialization.data(withJSONObject: entries, options: .sortedKeys)
            .write(to: URL(filePath: path.appending(name).string))
    }

    /// The arguments that start a run, or resume it.
    func arguments(_ run: String) -> [String] {
        [
            "pretrain", "--config", "settings.yaml", "--run", run, "--resume", "--json",
            "--threads", "1",
        ]
    }

    /// The contents of a run's checkpoints, byte for byte.
    func checkpoints(_ run: String) throws -> [Data] {
        try [
            "last/model.safetensors", "last/training.safetensors", "last/progress.json",
            "best/model.safetensors",
        ].map { try Data(contentsOf: URL(filePath: path.string).appending(path: "\(run)/\($0)")) }
    }

    /// The step of a run's last checkpoint; 0 without a checkpoint.
    func lastStep(_ run: String) -> Int {
        let link = path.pushing(FilePath("\(run)/last")).string
        let name = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
        return name.flatMap { Int($0.drop { $0 != "-" }.dropFirst().prefix(8)) } ?? 0
    }

    /// The length of a run's log in bytes; 0 without a log.
    func logLength(_ run: String) -> Int {
        let log = path.pushing(FilePath("\(run)/metrics.jsonl")).string
        let attributes = try? FileManager.default.attributesOfItem(atPath: log)
        return attributes?[.size] as? Int ?? 0
    }

    /// Waits until a condition holds, or the program has ended.
    ///
    /// The limit only ends a hang.
    func wait(for process: Process, until condition: () -> Bool) async throws {
        for _ in 0..<120_000 {
            guard process.isRunning, !condition() else { return }
            try await Task.sleep(for: .milliseconds(1))
        }
        Issue.record("nothing happened while the process was looked at 120,000 times")
    }
}
