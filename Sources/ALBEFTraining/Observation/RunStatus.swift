import Foundation
import Storage
package import SystemPackage
import Torch

/// The status of a run, stored in `status.json`.
public struct RunStatus: Codable, Sendable, Hashable {
    /// The state of a run.
    public enum State: String, Codable, Sendable {
        /// A process is training, unless it was killed.
        case running
        /// All steps were taken.
        case finished
        /// The run was stopped on request and can be resumed.
        case interrupted
        /// An error ended the run.
        case failed
    }

    /// The state of the run.
    public var state: State
    /// The planned number of steps.
    public var totalSteps: Int?
    /// The planned number of epochs.
    public var totalEpochs: Int?
    /// The id of the process that trains or trained.
    public var process: Int32
    /// The name of the machine that the process runs on.
    public var host: String

    enum CodingKeys: String, CodingKey {
        case state
        case totalSteps = "total_steps"
        case totalEpochs = "total_epochs"
        case process, host
    }

    /// Creates the status of a run in this process.
    init(_ state: State, totalSteps: Int?, totalEpochs: Int?) {
        self.state = state
        self.totalSteps = totalSteps
        self.totalEpochs = totalEpochs
        process = getpid()
        host = Self.thisHost
    }

    /// The name of this machine.
    static var thisHost: String {
        // Foundation's host name may involve a network request.
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return "localhost" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the process of a run that is recorded as running certainly does not exist.
    package var isOrphaned: Bool {
        state == .running && host == Self.thisHost && kill(process, 0) != 0 && errno == ESRCH
    }

    func write(to directory: FilePath) throws {
        try AtomicFile.write(
            try RunJSON.encoder(.prettyPrinted).encode(self),
            to: directory.appending(RunFile.status))
    }

    /// Reads the status in a directory, or returns `nil` if there is none.
    ///
    /// - Throws: ``RunError`` that names the file if it cannot be read or is invalid.
    package init?(directory: FilePath) throws {
        let file = directory.appending(RunFile.status)
        guard let bytes = try file.bytesIfPresent() else { return nil }
        do {
            self = try RunJSON.decoder().decode(RunStatus.self, from: Data(bytes))
        } catch {
            throw RunError(file, .malformed(DecodingError.reason(of: error)))
        }
    }
}
