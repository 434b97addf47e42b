import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("One run, one process")
struct RunLockTests {
    @Test("A run that is being trained is refused to others by name, and free again afterwards")
    func locked() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(["training.epochs=1"])
            let path = folder.appending("run")
            var first: TrainingRun? = try TrainingRun(path, settings: settings)
            let error = #expect(throws: TrainingError.self) {
                try TrainingRun(path, settings: nil)
            }
            #expect(
                error?.description
                    == "\(path): another process is training this run; wait until it ends, or stop"
                    + " it first")
            // The one that was refused has deleted and changed nothing.
            #expect(try await first?.run() == .finished)
            first = nil
            #expect(try await tiny.train("run", nil) == .finished)
        }
    }

    @Test("Of two that begin a run at the same moment, one begins it")
    func beginning() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings(["training.epochs=1"])
            let path = folder.appending("run")
            let ended = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        guard let run = try? TrainingRun(path, settings: settings) else {
                            return false
                        }
                        return (try? await run.run()) == .finished
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(ended == 1)
            #expect(RunDirectory(path).isBegun)
        }
    }
}
