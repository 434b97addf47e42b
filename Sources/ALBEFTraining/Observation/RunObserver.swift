import Foundation
import Storage
import Synchronization
public import SystemPackage
import Torch

/// Records a training run: its log, its TensorBoard events and its sample retrievals.
///
/// Calls return as soon as the operating system has the data. They are cheap enough for every step
/// and may come from any thread. A run has at most one observer at a time.
public final class RunObserver: Sendable {
    private struct State {
        var log: MetricsLog
        let events: EventFile
        var isClosed = false
    }

    /// The run's directory.
    public let directory: FilePath
    /// The last recorded step before the point at which the run resumes; `nil` in a new run.
    ///
    /// The totals `seconds` and `pairsSeen` of the following steps continue from it.
    public let resumedFrom: StepMetrics?
    private let totalSteps: Int?
    private let totalEpochs: Int?
    private let state: Mutex<State>

    /// Starts or resumes the recording of a run.
    ///
    /// If the directory contains `configuration.yaml`, TensorBoard shows it too.
    ///
    /// - Parameters:
    ///   - directory: The run's directory, which is created for a new run.
    ///   - step: The step of the checkpoint that the run resumes from; all later records are
    ///     removed. Default: `nil`, for a new run.
    ///   - isEvaluated: Whether to keep an evaluation after that very step; pass false if the run
    ///     will repeat it. Default: true.
    ///   - totalSteps: The planned number of steps, for display.
    ///   - totalEpochs: The planned number of epochs, for display.
    /// - Throws: ``RunError`` if the directory of a new run already contains a run, the log of a
    ///   resumed run is damaged, or a file cannot be written.
    public init(
        _ directory: FilePath, resumingAfter step: Int? = nil, isEvaluated: Bool = true,
        totalSteps: Int? = nil, totalEpochs: Int? = nil
    ) throws {
        self.directory = directory
        self.totalSteps = totalSteps
        self.totalEpochs = totalEpochs
        let path = directory.appending(RunFile.metrics)
        if step == nil {
            try Self.create(directory)
            if let bytes = try path.bytesIfPresent(), !bytes.isEmpty {
                throw RunError(directory, .occupied)
            }
        }
        var log = try MetricsLog(path)
        var last: StepMetrics?
        if let step {
            try log.truncate(after: step, isEvaluated: isEvaluated)
            for case .step(let metrics) in try log.records() { last = metrics }
        }
        resumedFrom = last
        let events = try EventFile(in: directory, host: RunStatus.thisHost)
        if let step { try events.appendSessionStart(step: step + 1) }
        if let text = try directory.appending(RunFile.configuration).bytesIfPresent() {
            // Markdown leaves lines that start with four spaces unchanged.
            let lines = String(decoding: text, as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false)
            try events.append(
                text: lines.map { "    \($0)" }.joined(separator: "\n"), tag: "settings",
                step: (step ?? -1) + 1)
        }
        state = Mutex(State(log: log, events: events))
        try RunStatus(.running, totalSteps: totalSteps, totalEpochs: totalEpochs)
            .write(to: directory)
    }

    private static func create(_ directory: FilePath) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw RunError(
                directory, .malformed("cannot be created: \(error.localizedDescription)"))
        }
    }

    /// Records a step.
    ///
    /// - Throws: ``RunError`` if a file cannot be written or the observer is closed.
    public func record(_ metrics: StepMetrics) throws {
        try withState { state in
            try state.log.append(.step(metrics))
            try state.events.append(metrics.scalars, step: metrics.step)
        }
    }

    /// Records an evaluation.
    ///
    /// - Throws: ``RunError`` if a file cannot be written or the observer is closed.
    public func record(_ metrics: EvaluationMetrics) throws {
        try withState { state in
            try state.log.append(.evaluation(metrics))
            try state.events.append(metrics.scalars, step: metrics.step)
        }
    }

    /// Records an evaluation of a downstream task.
    ///
    /// - Throws: ``RunError`` if a file cannot be written or the observer is closed.
    public func record(_ metrics: TaskMetrics) throws {
        try withState { state in
            try state.log.append(.task(metrics))
            try state.events.append(metrics.scalars, step: metrics.step)
        }
    }

    /// Replaces the sample retrievals.
    ///
    /// - Throws: `FileError` if the file cannot be written; ``RunError`` if the observer is closed.
    public func record(samples: [SampleRetrieval]) throws {
        try withState { _ in
            try AtomicFile.write(
                try RunJSON.encoder(.prettyPrinted).encode(samples),
                to: directory.appending(RunFile.samples))
        }
    }

    /// Waits until all records are on the disk, which a checkpoint requires.
    ///
    /// - Throws: ``RunError`` if the disk fails or the observer is closed.
    public func flush() throws {
        try withState { state in
            try state.log.flush()
            try state.events.flush()
        }
    }

    /// Flushes all files and records how the run ended.
    ///
    /// Closing an observer again does nothing.
    ///
    /// - Parameter outcome: The state in which the run ended. Default: finished.
    /// - Throws: ``RunError`` or `FileError` if the disk fails.
    public func close(_ outcome: RunStatus.State = .finished) throws {
        try state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            try state.log.flush()
            try state.events.flush()
            try RunStatus(outcome, totalSteps: totalSteps, totalEpochs: totalEpochs)
                .write(to: directory)
        }
    }

    private func withState(_ body: (inout State) throws -> Void) throws {
        try state.withLock { state in
            guard !state.isClosed else { throw RunError(directory, .closed) }
            try body(&state)
        }
    }
}
