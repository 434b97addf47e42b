public import SystemPackage

/// An error about a run's directory or one of its files; its description names the file.
public struct RunError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        case system(operation: String, Errno)
        case notARun
        case occupied
        case emptyLog
        case brokenLine(Int, String)
        case malformed(String)
        case closed
    }

    /// The file or directory that the error is about.
    public let file: FilePath
    let code: Code

    package init(_ file: FilePath, _ code: Code) {
        self.file = file
        self.code = code
    }

    /// One line that starts with the file's path.
    public var description: String {
        switch code {
        case .system(let operation, let errno): "\(file): cannot \(operation): \(errno)"
        case .notARun: "\(file): is not a training run: it has no \(RunFile.metrics)"
        case .occupied:
            "\(file): contains a run already; resume it, or choose another directory"
        case .emptyLog: "\(file): is empty: no step has been recorded yet; wait for the first one"
        case .brokenLine(let line, let reason): "\(file):\(line): \(reason)"
        case .malformed(let reason): "\(file): \(reason)"
        case .closed: "\(file): the observer of this run is closed and records nothing more"
        }
    }
}

/// The names of the files in a run's directory.
public enum RunFile {
    /// The settings, with every key.
    public static let configuration = "configuration.yaml"
    /// The steps and evaluations, one JSON object per line.
    public static let metrics = "metrics.jsonl"
    /// A JSON array of queries with their results.
    public static let samples = "samples.json"
    /// The state of the run and its planned length.
    public static let status = "status.json"
}
