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
    /// they promise, and `performance.md` agrees with the results.
    @Test(arguments: ["Scale", "Harness"])
    func testsInPythonPass(_ folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B", "-m", "unittest", "discover", "Tests/\(folder)"]
        process.currentDirectoryURL = URL(filePath: Fixtures.repository.string)
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let report = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: report, as: UTF8.self))")
    }
}
