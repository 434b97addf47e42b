import Storage
import Foundation
import Synchronization
public import SystemPackage
import Torch

/// Writes down what happens in a training run: its log, TensorBoard's events, sample retrievals.
///
/// Calls return when the system has the data; they are cheap enough for every step, and may come
/// from any thread. A run has one observer at a time.
public final class RunObserver: Sendable {
    private struct State {
        var log: MetricsLog
        let events: EventFile
        var isClosed = false
    }

    /// The run's directory.
    public let directory: FilePath
    /// The last recorded step of the part that is resumed; `nil` in a new run.
    ///
    /// The following steps add to its `seconds` and its `pairsSeen`.
    public let resumedFrom: StepMetrics?
    private let totalSteps: Int?
    private let totalEpochs: Int?
    private let state: Mutex<State>

    /// Starts or resumes the observation of a run.
    ///
    /// `configuration.yaml`, where it is there already, is also shown by TensorBoard.
    ///
    /// - Parameters:
    ///   - directory: The run's directory; created for a new run.
    ///   - step: The step of the checkpoint that the run resumes from: what was recorded after it
    ///     is removed. `nil`, the default, for a new run.
    ///   - isEvaluated: Whether an evaluation after that very step counts; it is removed too where
    ///     the run is going to make it again. Default: it counts.
    ///   - totalSteps: How many steps the run is to have, for those who watch it.
    ///   - totalEpochs: How many epochs it is to have.
    /// - Throws: ``RunError`` when the directory of a new run holds one already, the log of a
    ///   resumed one is broken, or a file cannot be written.
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
            // Four spaces make Markdown leave a line as it is.
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

    /// Writes down a step.
    ///
    /// - Throws: ``RunError`` when a file cannot be written or the observer was closed.
    public func record(_ metrics: StepMetrics) throws {
        try withState { state in
            try state.log.append(.step(metrics))
            try state.events.append(metrics.scalars, step: metrics.step)
        }
    }

    /// Writes down an evaluation.
    ///
    /// - Throws: ``RunError`` when a file cannot be written or the observer was closed.
    public func record(_ metrics: EvaluationMetrics) throws {
        try withState { state in
            try state.log.append(.evaluation(metrics))
            try state.events.append(metrics.scalars, step: metrics.step)
        }
    }

    /// Replaces the sample retrievals.
    ///
    /// - Throws: `FileError` when the file cannot be written, ``RunError`` when the observer
    ///   was closed.
    public func record(samples: [SampleRetrieval]) throws {
        try withState { _ in
            try AtomicFile.write(
                try RunJSON.encoder(.prettyPrinted).encode(samples),
                to: directory.appending(RunFile.samples))
        }
    }

    /// Waits until all that was recorded is on the disk, for a checkpoint that relies on it.
    ///
    /// - Throws: ``RunError`` when the disk fails or the observer was closed.
    public func flush() throws {
        try withState { state in
            try state.log.flush()
            try state.events.flush()
        }
    }

    /// Flushes everything and says how the run ended.
    ///
    /// Closing twice does nothing.
    ///
    /// - Parameter outcome: Finished, by default; interrupted or failed otherwise.
    /// - Throws: ``RunError`` or `FileError` when the disk fails.
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
