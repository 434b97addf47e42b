public import ALBEFTraining
public import Foundation
import Storage
public import SystemPackage

/// The content of a run's directory, whether the run has ended or not.
public struct RecordedRun: Sendable {
    /// The run's directory.
    public let directory: FilePath
    /// The name of the directory.
    public let name: String
    /// The steps, in the order of the log.
    public let steps: [StepMetrics]
    /// The evaluations of retrieval, in the order of the log.
    public let evaluations: [EvaluationMetrics]
    /// The evaluations of a downstream task, in the order of the log.
    public let tasks: [TaskMetrics]
    /// The latest sample retrievals.
    public let samples: [SampleRetrieval]
    /// The text of `configuration.yaml`.
    public let configuration: String?
    /// The content of `status.json`.
    public let status: RunStatus?
    /// The time of the last write to the log.
    public let updated: Date?

    /// Reads a run, even while another process is writing it.
    ///
    /// - Throws: `RunError` if the directory is not that of a run, its log is empty, or a file is
    ///   damaged.
    public init(_ directory: FilePath) throws {
        self.directory = directory
        // Resolved, because "." and ".." are not names.
        let resolved = URL(filePath: directory.string).standardizedFileURL
        name = resolved.lastPathComponent
        let log = directory.appending(RunFile.metrics)
        guard FileManager.default.fileExists(atPath: log.string) else {
            throw RunError(directory, .notARun)
        }
        let records = try MetricsLog.records(of: log)
        guard !records.isEmpty else { throw RunError(log, .emptyLog) }
        steps = records.compactMap { if case .step(let metrics) = $0 { metrics } else { nil } }
        evaluations = records.compactMap {
            if case .evaluation(let metrics) = $0 { metrics } else { nil }
        }
        tasks = records.compactMap { if case .task(let metrics) = $0 { metrics } else { nil } }
        samples = try Self.samples(in: directory)
        configuration = try directory.appending(RunFile.configuration).bytesIfPresent()
            .map { String(decoding: $0, as: UTF8.self) }
        status = try RunStatus(directory: directory)
        let attributes = try? FileManager.default.attributesOfItem(atPath: log.string)
        updated = attributes?[.modificationDate] as? Date
    }

    private static func samples(in directory: FilePath) throws -> [SampleRetrieval] {
        let file = directory.appending(RunFile.samples)
        guard let bytes = try file.bytesIfPresent() else { return [] }
        do {
            return try RunJSON.decoder().decode([SampleRetrieval].self, from: Data(bytes))
        } catch {
            throw RunError(file, .malformed(DecodingError.reason(of: error)))
        }
    }

    /// The state of the run, as far as its files and its process reveal it.
    public var activity: Activity {
        guard let status else { return .unknown }
        if status.isOrphaned { return .stopped }
        switch status.state {
        case .running: return .running
        case .finished: return .finished
        case .interrupted: return .interrupted
        case .failed: return .failed
        }
    }

    /// The state of a run.
    public enum Activity: String, Encodable, Sendable {
        /// A process is training.
        case running
        /// All steps are done.
        case finished
        /// The run was asked to stop and can be resumed.
        case interrupted
        /// An error ended the run.
        case failed
        /// The process ended without recording a state, as when it is killed.
        case stopped
        /// The directory records no state.
        case unknown
    }
}
