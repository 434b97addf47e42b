import Foundation
import SystemPackage
import TestSupport

/// Runs the `albef` program that was built with these tests.
struct Command {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// Standard output as JSON.
        func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
        }
    }

    static let executable: URL = {
        // The test program is SOMEWHERE/swift-albefPackageTests.xctest, on macOS a bundle there.
        var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4
        where !FileManager.default.fileExists(atPath: folder.appending(path: "albef").path) {
            folder.deleteLastPathComponent()
        }
        return folder.appending(path: "albef")
    }()

    /// Starts the command with its output in files, because a pipe could fill up.
    static func start(
        _ arguments: [String], folder: FilePath, program: String? = nil,
        environment: [String: String] = [:]
    ) throws -> (Process, FilePath) {
        let process = Process()
        process.executableURL = program.map { URL(filePath: $0) } ?? executable
        process.arguments = arguments
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        process.currentDirectoryURL = URL(filePath: folder.string)
        process.standardInput = FileHandle.nullDevice
        let log = folder.appending("log-\(UUID().uuidString)")
        var handles: [FileHandle] = []
        // The process has copies of its own. Foundation keeps a process that has ended, and with over
        // 1,300 open files it crashes when it starts another.
        defer { for handle in handles { try? handle.close() } }
        for (suffix, assign) in [
            ("out", { process.standardOutput = $0 }), ("err", { process.standardError = $0 }),
        ] as [(String, (FileHandle) -> Void)] {
            let path = "\(log.string).\(suffix)"
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            if let handle = FileHandle(forWritingAtPath: path) {
                assign(handle)
                handles.append(handle)
            }
        }
        try process.run()
        return (process, log)
    }

    /// Sends a signal to a process as soon as a file is there, or the process has ended.
    ///
    /// A separate thread polls, because tasks of other tests may block the others for longer than
    /// the process runs.
    static func signal(_ process: Process, _ number: Int32, onceThereIs path: FilePath) async {
        let (file, id) = (path.string, process.processIdentifier)
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                while kill(id, 0) == 0, !FileManager.default.fileExists(atPath: file) {
                    usleep(2000)
                }
                kill(id, number)
                continuation.resume()
            }
        }
    }

    static func run(
        _ arguments: [String], folder: FilePath, program: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> Result {
        let (process, log) = try start(
            arguments, folder: folder, program: program, environment: environment)
        await process.exited()
        func text(_ suffix: String) throws -> String {
            let path = "\(log.string).\(suffix)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        }
        return Result(
            status: process.terminationStatus, output: try text("out"), errors: try text("err"))
    }
}

extension Process {
    /// Waits for the end without blocking a thread.
    func exited() async {
        while isRunning { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
