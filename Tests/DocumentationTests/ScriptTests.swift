import Foundation
import SystemPackage
import TestSupport
import Testing

/// What is written in Python and tested there.
@Suite("Scripts")
struct ScriptTests {
    /// Runs the tests in Python of one folder.
    ///
    /// In Scale, the simulation agrees with what is known in closed form, and the tables of
    /// `scale.md` with the measured figures. In Harness, the benchmarks measure, compare and end as
    /// they promise, and `performance.md` agrees with the results. In Soak, the checks of the soak
    /// test find what is wrong, and nothing else. In Supply, the bill of materials has every package
    /// that was resolved, and `dependencies.md` agrees with it.
    @Test(arguments: ["Scale", "Harness", "Soak", "Supply"])
    func testsInPythonPass(_ folder: String) async throws {
        try await Fixtures.withTemporaryFolder { path in
            let report = URL(filePath: path.appending("report").string)
            try Data().write(to: report)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["python3", "-B", "-m", "unittest", "discover", "Tests/\(folder)"]
            process.currentDirectoryURL = URL(filePath: Fixtures.repository.string)
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: report)
            try process.run()
            // Blocking a thread for so long would leave other tests one fewer.
            while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            let text = String(decoding: try Data(contentsOf: report), as: UTF8.self)
            #expect(process.terminationStatus == 0, "\(text)")
        }
    }
}
