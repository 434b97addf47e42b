import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef pretrain, stopped from outside", .serialized, .timeLimit(.minutes(30)))
struct KilledTrainingTests {
    @Test("Killed at any moment and resumed, a run ends with the weights of an undisturbed one")
    func kills() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 14)
            let whole = try await Command.run(folder.arguments("whole"), folder: path)
            #expect(whole.status == 0, "\(whole.errors)")
            #expect(try whole.json()["step"] as? Int == 42)

            var random = SystemRandomNumberGenerator()
            let length = folder.logLength("whole")
            for _ in 0..<4 {
                let (process, log) = try Command.start(folder.arguments("run"), folder: path)
                // At a random step in the next quarter of the run, according to its log.
                let target =
                    folder.logLength("run") + Int.random(in: 0..<length / 4, using: &random)
                try await folder.wait(for: process) { folder.logLength("run") > target }
                kill(process.processIdentifier, SIGKILL)
                await process.exited()
                let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
                let isKilled = process.terminationReason == .uncaughtSignal
                #expect(process.terminationStatus == (isKilled ? SIGKILL : 0), "\(errors)")
            }
            let rest = try await Command.run(folder.arguments("run"), folder: path)
            #expect(rest.status == 0, "\(rest.errors)")
            #expect(try folder.checkpoints("whole") == folder.checkpoints("run"))
        }
    }

    @Test("SIGINT and SIGTERM save the current step, and exit with status 130")
    func signals() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1000)
            // The second run resumes where the first one stopped.
            var reached = 0
            for number in [SIGINT, SIGTERM] {
                let (process, log) = try Command.start(folder.arguments("run"), folder: path)
                try await folder.wait(for: process) { folder.lastStep("run") > reached }
                let target = folder.lastStep("run")
                #expect(target > reached)
                kill(process.processIdentifier, number)
                await process.exited()
                #expect(process.terminationReason == .exit && process.terminationStatus == 130)
                let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
                #expect(errors.contains("saving after this step (again to stop at once)"))
                #expect(
                    errors.contains("resuming after step \(reached) of 3000") == (reached > 0))
                let output = try Data(contentsOf: URL(filePath: "\(log.string).out"))
                let json = try #require(
                    try JSONSerialization.jsonObject(with: output) as? [String: Any])
                reached = try #require(json["step"] as? Int)
                #expect(json["finished"] as? Bool == false && reached >= target)
                #expect(folder.lastStep("run") == reached)
                let status = try Data(
                    contentsOf: URL(filePath: path.appending("run/status.json").string))
                let state = try JSONSerialization.jsonObject(with: status) as? [String: Any]
                #expect(state?["state"] as? String == "interrupted")
            }
        }
    }

    @Test("Rejects a second process by the run's name, and continues the first")
    func second() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1000)
            let (process, _) = try Command.start(folder.arguments("run"), folder: path)
            try await folder.wait(for: process) { folder.lastStep("run") > 0 }
            let other = try await Command.run(folder.arguments("run"), folder: path)
            #expect(other.status == 1)
            #expect(
                other.errors == "Error: run: another process is training this run; wait until it"
                    + " ends, or stop it first\n")
            let reached = folder.lastStep("run")
            try await folder.wait(for: process) { folder.lastStep("run") > reached }
            kill(process.processIdentifier, SIGINT)
            await process.exited()
            #expect(process.terminationReason == .exit && process.terminationStatus == 130)
        }
    }
}
