import Storage
import Foundation
package import SystemPackage
import Torch

/// What a run says of itself in `status.json`.
public struct RunStatus: Codable, Sendable, Hashable {
    /// Where the run stands.
    public enum State: String, Codable, Sendable {
        /// A process is at it, unless it was killed.
        case running
        /// It did all its steps.
        case finished
        /// It was asked to stop, and can be resumed.
        case interrupted
        /// An error ended it.
        case failed
    }

    /// Where the run stands.
    public var state: State
    /// How many steps it is to have.
    public var totalSteps: Int?
    /// How many epochs it is to have.
    public var totalEpochs: Int?
    /// The process that trains or trained.
    public var process: Int32
    /// The machine it runs on.
    public var host: String

    enum CodingKeys: String, CodingKey {
        case state
        case totalSteps = "total_steps"
        case totalEpochs = "total_epochs"
        case process, host
    }

    /// The status of a run by this process.
    init(_ state: State, totalSteps: Int?, totalEpochs: Int?) {
        self.state = state
        self.totalSteps = totalSteps
        self.totalEpochs = totalEpochs
        process = getpid()
        host = Self.thisHost
    }

    /// The name of this machine.
    static var thisHost: String {
        // Not Foundation's, which may ask the network.
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return "localhost" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the process of a running run is known to be gone.
    package var isOrphaned: Bool {
        state == .running && host == Self.thisHost && kill(process, 0) != 0 && errno == ESRCH
    }

    func write(to directory: FilePath) throws {
        try AtomicFile.write(
            try RunJSON.encoder(.prettyPrinted).encode(self),
            to: directory.appending(RunFile.status))
    }

    /// The status in a directory; `nil` where there is none.
    package init?(directory: FilePath) throws {
        let file = directory.appending(RunFile.status)
        guard let bytes = try file.bytesIfPresent() else { return nil }
        do {
            self = try RunJSON.decoder().decode(RunStatus.self, from: Data(bytes))
        } catch {
            throw RunError(file, .malformed(RunJSON.reason(error)))
        }
    }
}
