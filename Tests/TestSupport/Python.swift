import Foundation

/// Python 3, which some tests ask to read what this program wrote.
package enum Python {
    /// Whether Python is here with NumPy.
    package static let hasNumPy = (try? run("import numpy")) == ""

    /// Runs a script, and returns what it writes to either output; nothing if it succeeds quietly.
    package static func run(_ script: String, _ arguments: [String] = []) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: bytes, as: UTF8.self)
        return process.terminationStatus == 0 || !text.isEmpty
            ? text : "exited with status \(process.terminationStatus)"
    }
}
