import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Downloads
import Foundation
import SystemPackage

/// `albef finetune`: trains a pretrained model for a downstream task.
struct FinetuneCommand: TrainingCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Fine-tune a pretrained model for a task: retrieval, VQA, NLVR2, and more.",
        discussion: """
            Each task has a preset with the paper's numbers; a file or --set changes some of them. \
            Annotations have the shape of the original's files, which Documentation/formats.md \
            shows. Ctrl-C saves a checkpoint, and --resume continues where the run stopped.

              albef finetune vqa --model albef --train vqa_train.json --validation vqa_val.json \
            --images vqa --answers answer_list.json --run vqa-run
              albef finetune entailment --print
              albef finetune retrieval --run run --resume

            'albef evaluate' and 'albef predict' read the model run/best.
            """)

    @Argument(help: "The task.")
    var task: FinetuneTask

    @Option(
        help: ArgumentHelp(
            "The pretrained model: a directory, or a name from 'albef models list'.",
            valueName: "model"), completion: .directory)
    var model: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Annotations to train on.", valueName: "file"), completion: .file())
    var train: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Annotations to evaluate after each epoch.", valueName: "file"),
        completion: .file())
    var validation: [String] = []

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: each file's own.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Option(
        help: ArgumentHelp(
            "VQA: a JSON list of answers among which the evaluation chooses; default: it writes "
                + "answers freely.",
            valueName: "file"), completion: .file())
    var answers: String?

    @OptionGroup var options: RunOptions

    func validate() throws {
        if let preset = options.settings.preset, !task.presets.contains(preset) {
            throw ValidationError(
                "--preset \(preset) is not for \(task.rawValue); choose"
                    + " \(task.presets.joined(separator: " or ")).")
        }
    }

    func run() async throws {
        try await options.train(preset: task.presets[0]) { directory in
            try check(directory.configuration(), directory)
            if try options.settings.changesPreset || !assignments(model: model).isEmpty {
                try directory.checkSettings(try await settings())
            }
        } settings: {
            try await settings()
        }
    }

    /// Checks that a run to be resumed is for the task that the command names.
    private func check(
        _ configuration: TrainingConfiguration, _ directory: RunDirectory
    ) throws {
        let own = configuration.model.task
        guard own == task.task else {
            throw ValidationError(
                "\(directory.path) is a run of \(own.rawValue), not of \(task.rawValue); name the"
                    + " task of the run.")
        }
    }

    private func settings() async throws -> TrainingConfiguration {
        var path: String?
        if let model { path = try await ModelFetch().model(model, for: .start).string }
        let settings = try options.settings.chosen(
            assignments(model: path), preset: task.presets[0])
        guard settings.model.task == task.task else {
            throw ValidationError(
                "the settings have model.task \(settings.model.task.rawValue), but the command"
                    + " names \(task.rawValue).")
        }
        return settings
    }

    /// Returns the options as settings; YAML reads the strings and lists of JSON.
    private func assignments(model: String?) throws -> [String] {
        func value(_ value: some Encodable) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        var found: [String] = []
        if let model { found.append("model.start=\(try value(model))") }
        if !train.isEmpty { found.append("data.train=\(try value(train))") }
        if !validation.isEmpty { found.append("data.validation=\(try value(validation))") }
        if let images { found.append("data.images=\(try value(images))") }
        if let answers { found.append("data.answers=\(try value(answers))") }
        return found
    }
}

/// A task of `albef finetune`.
enum FinetuneTask: String, CaseIterable, ExpressibleByArgument {
    case retrieval, grounding, vqa, nlvr, entailment
    case textAssignment = "text-assignment"

    /// The task of the model.
    var task: ALBEFConfiguration.Task {
        switch self {
        case .retrieval: .retrieval
        case .grounding: .grounding
        case .vqa: .vqa
        case .nlvr: .nlvr
        case .entailment: .entailment
        case .textAssignment: .textAssignment
        }
    }

    /// The presets of the task; the first one is the default.
    var presets: [String] {
        self == .retrieval ? ["retrieval-flickr", "retrieval-coco"] : [rawValue]
    }
}
