import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef report")
struct ReportCommandTests {
    private func record(_ directory: FilePath) throws {
        let observer = try RunObserver(directory, totalSteps: 4)
        for step in 1...3 {
            try observer.record(
                StepMetrics(
                    step: step, epoch: 1, seconds: Double(step), loss: 4, alpha: 0,
                    learningRate: 1e-4, pairsPerSecond: 8, residentMegabytes: 100))
        }
        try observer.close(.interrupted)
    }

    @Test("Writes the page into the run's directory, or to --output")
    func pages() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try record(folder.appending("run"))
            let made = try await Command.run(["report", "run"], folder: folder)
            #expect(made.status == 0 && made.output == "run/report.html\n")
            let page = try String(
                contentsOfFile: folder.appending("run/report.html").string, encoding: .utf8)
            #expect(page.contains("<title>run · training report</title>"))
            let other = try await Command.run(
                ["report", ".", "--output", "../page.html", "--no-pictures"],
                folder: folder.appending("run"))
            #expect(other.status == 0, "\(other.errors)")
            let same = try String(
                contentsOfFile: folder.appending("page.html").string, encoding: .utf8)
            #expect(same.contains("<title>run · training report</title>"))
        }
    }

    @Test("Prints only the summary as JSON")
    func json() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try record(folder.appending("run"))
            let result = try await Command.run(["report", "run", "--json"], folder: folder)
            let json = try result.json()
            #expect(json["run"] as? String == "run" && json["state"] as? String == "interrupted")
            #expect(json["step"] as? Int == 3 && json["total_steps"] as? Int == 4)
            #expect(
                !FileManager.default.fileExists(
                    atPath: folder.appending("run/report.html").string))
        }
    }

    @Test("Rejects a folder that is not a run, in one line")
    func errors() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for name in ["nowhere", "."] {
                let result = try await Command.run(["report", name], folder: folder)
                #expect(result.status == 1 && result.output.isEmpty)
                #expect(
                    result.errors
                        == "Error: \(name): is not a training run: it has no metrics.jsonl\n")
            }
        }
    }
}
