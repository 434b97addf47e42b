import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef pretrain, stopped from outside", .serialized, .timeLimit(.minutes(2)))
struct KilledTrainingTests {
    @Test("Killed at any moment and resumed, it ends with the weights of an undisturbed run")
    func kills() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 14)
            let began = ContinuousClock.now
            let whole = try await Command.run(folder.arguments("whole"), folder: path)
            let duration = ContinuousClock.now - began
            #expect(whole.status == 0, "\(whole.errors)")
            #expect(try whole.json()["step"] as? Int == 42)

            var random = SystemRandomNumberGenerator()
            for _ in 0..<4 {
                let (process, log) = try Command.start(folder.arguments("run"), folder: path)
                let share = Double.random(in: 0..<0.6, using: &random)
                let end = ContinuousClock.now + duration * share
                while process.isRunning, .now < end { try await Task.sleep(for: .milliseconds(2)) }
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

    @Test("SIGINT and SIGTERM save the step that was reached, and exit with 130")
    func signals() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1000)
            // The second one goes on where the first one stopped.
            var reached = 0
            for number in [SIGINT, SIGTERM] {
                let (process, log) = try Command.start(folder.arguments("run"), folder: path)
                let target = try await folder.waitForCheckpoint(after: reached, by: process)
                #expect(target > reached)
                kill(process.processIdentifier, number)
                await process.exited()
                #expect(process.terminationReason == .exit && process.terminationStatus == 130)
                let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
                #expect(errors.contains("saving after this step (again to stop at once)"))
                #expect(
                    errors.contains("going on after step \(reached) of 3000") == (reached > 0))
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
}
