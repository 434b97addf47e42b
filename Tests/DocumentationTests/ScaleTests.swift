import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Scale")
struct ScaleTests {
    /// The simulation agrees with what is known in closed form, and the tables of `scale.md` with
    /// the measured figures; the tests of both are Python's.
    @Test func simulationAndTablesAreRight() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B", "-m", "unittest", "discover", "Tests/Scale"]
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
