import ALBEFTraining
import Foundation
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

/// Training of a model of the smallest size on a dozen generated images.
struct TinyRun {
    let folder: FilePath

    /// Writes images of two captions each, and as many for validation as asked for.
    init(_ folder: FilePath, images: Int = 12, validation: Int = 0) throws {
        self.folder = folder
        try TinyImages.write(images + validation, to: folder.appending("images"))
        try write(0..<images, to: "train.json")
        if validation > 0 { try write(images..<images + validation, to: "validation.json") }
    }

    private func write(_ images: Range<Int>, to name: String) throws {
        let words = ["red", "cat", "two", "dogs", "a bus", "near", "tree", "man"]
        let entries: [[String: Any]] = images.map { index in
            let captions = (0..<2).map { turn in
                (0..<4).map { words[(index * 3 + turn * 5 + $0 * ($0 + index)) % 8] }
                    .joined(separator: " ")
            }
            return [
                "image": String(format: "images/%03d.bmp", index), "caption": captions,
                "image_id": index,
            ]
        }
        try JSONSerialization.data(withJSONObject: entries, options: .sortedKeys)
            .write(to: URL(filePath: folder.appending(name).string))
    }

    /// Settings over the images: a preset, the smallest sizes, and changes.
    func settings(_ changes: [String] = [], preset: String = "albef") throws
        -> TrainingConfiguration
    {
        var file = try SettingsFile(preset: preset)
        for assignment in sizes + (preset == "albef" || preset == "wenlan" ? queue : []) + changes {
            try file.apply(assignment: assignment)
        }
        return try file.configuration()
    }

    private var queue: [String] { ["objectives.contrastive.queue=10"] }

    private var sizes: [String] {
        let vocabulary = Fixtures.tinyVocabulary
        return [
            "data.train=['\(folder.appending("train.json"))']", "model.vocabulary='\(vocabulary)'",
            "model.image_size=32", "model.image_width=16", "model.image_depth=1",
            "model.image_heads=2", "model.text_width=16", "model.text_depth=1",
            "model.fusion_depth=1", "model.text_heads=2", "model.positions=16",
            "model.maximum_tokens=12", "model.embedding_width=8", "training.batch_size=4",
            "training.epochs=4", "training.device=cpu", "training.log_steps=2",
            "optimizer.learning_rate=1e-3", "optimizer.warmup_steps=4",
        ]
    }

    /// The setting that names the validation images.
    var validation: String { "data.validation=['\(folder.appending("validation.json"))']" }

    /// Begins or goes on with a run, and cancels it after some of its steps.
    ///
    /// - Parameters:
    ///   - newParts: what was made at random in the model that the settings start from.
    ///   - limit: the step after which to cancel; nil for none.
    @discardableResult
    func train(
        _ name: String, _ settings: TrainingConfiguration?, newParts: Set<String>? = nil,
        until limit: Int? = nil, log: EventLog = EventLog()
    ) async throws -> TrainingRun.Outcome {
        let path = folder.appending(name)
        return try await Task {
            let run = try TrainingRun(path, settings: settings, newParts: newParts) { event in
                log.add(event)
                if case .step(let metrics) = event, metrics.step == limit {
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            return try await run.run()
        }.value
    }

    private func progress(_ run: String, _ link: String) throws -> Data {
        try Data(
            contentsOf: URL(
                filePath: folder.pushing(FilePath("\(run)/\(link)/progress.json")).string))
    }

    /// What differs between the last checkpoints of two runs, bit by bit: names of tensors, and
    /// the progress.
    func differences(_ first: String, _ second: String, link: String = "last") throws -> [String] {
        try ["model.safetensors", "training.safetensors"].flatMap { file in
            let files = try [first, second].map {
                try SafetensorsFile(folder.pushing(FilePath("\($0)/\(link)/\(file)")))
            }
            var found = Set(files[0].tensors.names).symmetricDifference(files[1].tensors.names)
            for name in files[0].tensors.names where files[1].tensors[name] != nil {
                let bytes = try files.map { file in
                    try Tensor(file.tensor(name)).withUnsafeBytes { Array($0) }
                }
                if bytes[0] != bytes[1] { found.insert(name) }
            }
            if files[0].metadata != files[1].metadata { found.insert("\(file)'s metadata") }
            return found.sorted()
        } + (progress(first, link) == progress(second, link) ? [] : ["progress"])
    }
}

/// What a run told while it went on.
final class EventLog: Sendable {
    private let events = Mutex<[TrainingRun.Event]>([])

    func add(_ event: TrainingRun.Event) { events.withLock { $0.append(event) } }

    var steps: [StepMetrics] {
        events.withLock {
            $0.compactMap { if case .step(let metrics) = $0 { metrics } else { nil } }
        }
    }

    var evaluations: [EvaluationMetrics] {
        events.withLock {
            $0.compactMap { if case .evaluation(let metrics) = $0 { metrics } else { nil } }
        }
    }

    var tasks: [TaskMetrics] {
        events.withLock {
            $0.compactMap { if case .taskEvaluation(let metrics) = $0 { metrics } else { nil } }
        }
    }
}
