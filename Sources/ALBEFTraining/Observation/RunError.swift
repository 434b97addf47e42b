public import SystemPackage

/// What is wrong with a run's directory or one of its files; its description names the file.
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
        case .occupied: "\(file): holds a run already; resume it, or name another directory"
        case .emptyLog: "\(file): is empty: no step has been recorded yet"
        case .brokenLine(let line, let reason): "\(file):\(line): \(reason)"
        case .malformed(let reason): "\(file): \(reason)"
        case .closed: "\(file): the run was closed; nothing can be recorded"
        }
    }
}

/// The names of the files in a run's directory.
public enum RunFile {
    /// The resolved settings.
    public static let configuration = "configuration.yaml"
    /// Steps and evaluations, one JSON object a line.
    public static let metrics = "metrics.jsonl"
    /// Queries and what was found for them: a JSON array.
    public static let samples = "samples.json"
    /// Whether the run goes on, and how long it is to be.
    public static let status = "status.json"
}
