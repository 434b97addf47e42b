import ALBEF
import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Storage
import SystemPackage
import Torch

/// A command that takes steps of training, and therefore keeps the memory that it frees.
protocol TrainingCommand: AsyncParsableCommand {}

/// Runs a training as `albef pretrain` and `albef finetune` do, alone or as one of several
/// processes.
struct TrainingLauncher {
    /// The run's directory.
    let directory: RunDirectory
    /// The settings of a new run; nil to resume the run in the directory.
    let settings: TrainingConfiguration?
    /// The processor threads to use; nil for all.
    let threads: Int?
    /// Whether to print the results as JSON.
    let json: Bool

    /// Trains until the last step, or until Ctrl-C.
    ///
    /// - Throws: The exit code of an interrupted command after a checkpoint is saved.
    func run() async throws {
        if let threads { setThreadCount(threads) }
        try await Interrupts.cancelling("saving after this step") {
            // No process can begin the run before all have looked whether it exists.
            let group = try (settings ?? directory.configuration())
                .processGroup(environment: ProcessInfo.processInfo.environment)
            if let group, threads == nil {
                let cores = ProcessInfo.processInfo.activeProcessorCount
                setThreadCount(max(1, cores / group.localCount))
            }
            do {
                let outcome = try await train(group)
                group?.leave()
                if outcome == .interrupted { throw Interrupts.exitCode }
            } catch {
                group?.leave(because: error)
                throw error
            }
        }
    }

    private func train(_ group: ProcessGroup?) async throws -> TrainingRun.Outcome {
        let progress = TrainingProgressLine()
        let isFirst = group.map { $0.rank == 0 } ?? true
        let training = try TrainingRun(
            directory.path, settings: settings, opener: .standard, group: group
        ) { event in
            switch event {
            // The first process reports for all, but every process reads data of its own.
            case .failure, .damagedShard: progress.show(event)
            default: if isFirst { progress.show(event) }
            }
        }
        if isFirst { try introduce(training, progress) }
        let outcome = try await training.run()
        guard isFirst else { return outcome }
        progress.finish()
        try tell(outcome, training)
        return outcome
    }

    private func introduce(
        _ training: TrainingRun, _ progress: TrainingProgressLine
    ) throws {
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

    private func tell(_ outcome: TrainingRun.Outcome, _ training: TrainingRun) throws {
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
        guard hasBest else { return }
        let metric = training.configuration.model.task.aligns ? "recall" : "accuracy"
        Console.result("the model with the best \(metric) is \(directory.best)")
    }
}

/// The JSON of `albef pretrain --json` and `albef finetune --json`.
private struct TrainingOutput: Encodable {
    let run: String
    let finished: Bool
    let step, steps: Int
    let last: String
    let best: String?
    let parts: [TrainedParts.Row]
}
