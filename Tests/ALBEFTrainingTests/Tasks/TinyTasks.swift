import ALBEF
import ALBEFTraining
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Torch

/// Annotation files of all tasks over the images of a tiny run, and a model to start from.
struct TinyTasks {
    let tiny: TinyRun
    /// The model directory of one epoch of pretraining.
    let start: FilePath

    /// Pretrains a model of the smallest size, and writes the annotations.
    init(_ folder: FilePath) async throws {
        tiny = try TinyRun(folder, validation: 6)
        try await tiny.train("start", tiny.settings(["training.epochs=1"]))
        start = folder.appending("start").appending("last")
        for (name, images) in [("train", 0..<12), ("validation", 12..<18)] {
            try write("vqa-\(name)", images) { index in
                [
                    "image": Self.image(index), "question": "Is it \(Self.words[index % 4])?",
                    "answer": index % 3 == 0 ? ["red", "red", "cat"] : ["two dogs"],
                    "question_id": index,
                ]
            }
            try write("entailment-\(name)", images) { index in
                [
                    "image": Self.image(index), "sentence": "a \(Self.words[index % 4]).",
                    "label": ["entailment", "neutral", "contradiction"][index % 3],
                ]
            }
            try write("nlvr-\(name)", images) { index in
                [
                    "images": [Self.image(index), Self.image((index + 1) % 12)],
                    "sentence": "two \(Self.words[index % 4]).",
                    "label": index % 2 == 0 ? "True" : "False",
                ]
            }
        }
        try Data(#"["red", "cat", "two dogs", "man"]"#.utf8)
            .write(to: URL(filePath: folder.appending("answers.json").string))
    }

    private static let words = ["red", "cat", "man", "tree"]

    private static func image(_ index: Int) -> String { String(format: "images/%03d.bmp", index) }

    private func write(_ name: String, _ rows: Range<Int>, _ row: (Int) -> [String: Any]) throws {
        try JSONSerialization.data(withJSONObject: rows.map(row), options: .sortedKeys)
            .write(to: URL(filePath: tiny.folder.appending("\(name).json").string))
    }

    /// Settings of a task: its preset, a few small numbers, and changes.
    func settings(_ preset: String, _ changes: [String] = []) throws -> TrainingConfiguration {
        var file = try SettingsFile(preset: preset)
        let items = ["vqa", "nlvr", "entailment"].contains(preset)
        let folder = tiny.folder
        func path(_ name: String) -> String { "['\(folder.appending(name))']" }
        var assignments = [
            "model.start='\(start)'", "model.image_size=32", "training.batch_size=4",
            "training.accumulation=1", "training.epochs=2", "training.device=cpu",
            "training.log_steps=1", "optimizer.learning_rate=1e-3", "optimizer.warmup_steps=2",
            "data.train=\(path(items ? "\(preset)-train.json" : "train.json"))",
        ]
        if preset != "text-assignment" {
            let name = items ? "\(preset)-validation.json" : "validation.json"
            assignments.append("data.validation=\(path(name))")
        }
        if !items, preset != "text-assignment" {
            assignments.append("objectives.contrastive.queue=10")
        }
        for assignment in assignments + changes { try file.apply(assignment: assignment) }
        return try file.configuration()
    }
}
