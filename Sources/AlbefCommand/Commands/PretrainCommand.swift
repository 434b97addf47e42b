import ALBEFTraining
import ArgumentParser
import Foundation
import ImageText
import Storage
import SystemPackage
import Torch

/// `albef pretrain`: trains a model on images with captions.
struct PretrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train a model on images with captions: align, then fuse.",
        discussion: """
            A preset lists every setting with its reason; a file or --set changes some of them. \
            The run's directory holds its settings, its log and its checkpoints. Ctrl-C saves a \
            checkpoint, and --resume continues exactly where the run stopped.

              albef pretrain --print > settings.yaml
              albef pretrain --config settings.yaml --run run --set training.batch_size=96
              albef pretrain --run run --resume
              albef report run

            Several processes train together if a launcher starts them, such as torchrun:

              torchrun --no-python --nproc-per-node 4 -- albef pretrain --run run
            """)

    @Option(
        help: ArgumentHelp("Where the run keeps its files.", valueName: "directory"),
        completion: .directory)
    var run: String?

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Resume the run with its own settings, or start it if it does not exist.")
    var resume = false

    @Flag(name: .customLong("print"), help: "Print the preset with its reasons, and exit.")
    var prints = false

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    var threads: Int?

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws {
        if !prints, run == nil {
            throw ValidationError("--run is missing; name the directory of the run.")
        }
        try SettingsOptions.check(threads: threads)
    }

    func run() async throws {
        if prints {
            Console.write(try Presets.text(options.preset), to: .standardOutput)
            return
        }
        guard let run else { return }
        if let threads { setThreadCount(threads) }
        let directory = RunDirectory(FilePath(run))
        let isResumed = resume && directory.isBegun
        if isResumed, options.changesPreset {
            try directory.checkSettings(options.settings())
        }
        let settings = isResumed ? nil : try options.settings()
        let (json, threads) = (json, threads)
        try await Interrupts.cancelling("saving after this step") {
            // No process can begin the run before all have looked whether it exists.
            let group = try (settings ?? directory.configuration())
                .processGroup(environment: ProcessInfo.processInfo.environment)
            if let group, threads == nil {
                let cores = ProcessInfo.processInfo.activeProcessorCount
                setThreadCount(max(1, cores / group.localCount))
            }
            do {
                let outcome = try await Self.train(directory, settings, group, json: json)
                group?.leave()
                if outcome == .interrupted { throw Interrupts.exitCode }
            } catch {
                group?.leave(because: error)
                throw error
            }
        }
    }

    private static func train(
        _ directory: RunDirectory, _ settings: PretrainingConfiguration?, _ group: ProcessGroup?,
        json: Bool
    ) async throws -> PretrainingRun.Outcome {
        let progress = TrainingProgressLine()
        let isFirst = group.map { $0.rank == 0 } ?? true
        let training = try PretrainingRun(
            directory.path, settings: settings, opener: .standard, group: group
        ) { event in
            switch event {
            // The first process reports for all, but every process reads data of its own.
            case .failure, .damagedShard: progress.show(event)
            default: if isFirst { progress.show(event) }
            }
        }
        if isFirst {
            progress.start(training)
            Console.note(training.parts.text)
            if let memory = try training.predictedMemory(), let limit = MemoryLimit.ofMachine,
                memory.peak > limit.bytes
            {
                Console.note(
                    "warning: this run needs about \(NumberText.bytes(Double(memory.peak))) of"
                        + " memory, but there are \(limit.words); 'albef plan' with the same"
                        + " options names settings that fit")
            }
            if training.shardSplit == .samples {
                Console.note(
                    "there are fewer shards than processes, so every process reads all shards and"
                        + " takes its part of the samples")
            }
        }
        let outcome = try await training.run()
        guard isFirst else { return outcome }
        progress.finish()
        try tell(outcome, training, json: json)
        return outcome
    }

    private static func tell(
        _ outcome: PretrainingRun.Outcome, _ training: PretrainingRun, json: Bool
    ) throws {
        let directory = training.directory
        let hasBest = FileManager.default.fileExists(atPath: directory.best.string)
        if json {
            try Console.json(
                TrainingOutput(
                    run: directory.path.string, finished: outcome == .finished, step: training.step,
                    steps: training.totalSteps, last: directory.last.string,
                    best: hasBest ? directory.best.string : nil, parts: training.parts.rows))
            return
        }
        let state = outcome == .finished ? "finished" : "interrupted"
        Console.result("\(state) after \(training.step) of \(training.totalSteps) steps")
        Console.result("the model of the last step is \(directory.last)")
        if hasBest { Console.result("the model with the best recall is \(directory.best)") }
    }
}

/// The JSON of `albef pretrain --json`.
private struct TrainingOutput: Encodable {
    let run: String
    let finished: Bool
    let step, steps: Int
    let last: String
    let best: String?
    let parts: [TrainedParts.Row]
}
