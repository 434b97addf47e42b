public import ALBEFTraining
public import Foundation
public import SystemPackage

/// What a run's directory holds, finished or not.
public struct TrainingRun: Sendable {
    /// The run's directory.
    public let directory: FilePath
    /// The directory's name.
    public let name: String
    /// The steps in the order of the log.
    public let steps: [StepMetrics]
    /// The evaluations in the order of the log.
    public let evaluations: [EvaluationMetrics]
    /// The last sample retrievals.
    public let samples: [SampleRetrieval]
    /// The text of `configuration.yaml`.
    public let configuration: String?
    /// What the run says of itself.
    public let status: RunStatus?
    /// When the log was last written.
    public let updated: Date?

    /// Reads a run; one that another process is writing may be read too.
    ///
    /// - Throws: ``RunError`` when the directory is none of a run, its log is empty, or a file is
    ///   broken.
    public init(_ directory: FilePath) throws {
        self.directory = directory
        // "." and ".." are no names.
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
            throw RunError(file, .malformed(RunJSON.reason(error)))
        }
    }

    /// Where the run stands, as far as can be told from outside.
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

    /// Where a run stands.
    public enum Activity: String, Encodable, Sendable {
        /// A process is at it.
        case running
        /// It did all its steps.
        case finished
        /// It was asked to stop, and can be resumed.
        case interrupted
        /// An error ended it.
        case failed
        /// Its process is gone and said nothing: it was killed.
        case stopped
        /// It says nothing of itself.
        case unknown
    }
}
