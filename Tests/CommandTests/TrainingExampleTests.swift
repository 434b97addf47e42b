import Foundation
import SystemPackage
import TestSupport
import Testing

extension DistributedTrainingTests {
    private static let examples = Fixtures.repository.appending("Examples/training")

    /// What Slurm sets for a job of two tasks on this machine, with a stand-in for its `srun`.
    ///
    /// The port would follow from the job's number, but another program may use it.
    private func job(port: UInt16) -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let programs = Command.executable.deletingLastPathComponent().path
        return [
            "PATH": "\(Fixtures.path("slurm").string):\(programs):\(path)", "SLURM_JOB_ID": "4711",
            "SLURM_JOB_NODELIST": "localhost", "SLURM_NTASKS": "2", "SLURM_CPUS_PER_TASK": "1",
            "MASTER_PORT": "\(port)",
        ]
    }

    @Test("The example for Slurm trains with two tasks, saves on SIGTERM, and resumes")
    func slurm() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 200)
            let arguments =
                // A shell cannot handle a signal that it inherits as ignored, and services of other
                // tests in this process ignore SIGTERM.
                [
                    "--default-signal=TERM", "bash",
                    Self.examples.appending("slurm.sbatch").string, "settings.yaml", "run",
                ]
                + Self.comparable.flatMap { ["--set", $0] }
            func submit() throws -> (Process, FilePath) {
                try Command.start(
                    arguments, folder: path, program: "/usr/bin/env",
                    environment: job(port: Ranks.freePort()))
            }
            func errors(_ log: FilePath) -> String {
                (try? String(contentsOfFile: "\(log.string).err", encoding: .utf8)) ?? ""
            }
            let (first, log) = try submit()
            // As --signal=TERM does before the time limit.
            await Command.signal(first, SIGTERM, onceThereIs: path.pushing("run/last"))
            await first.exited()
            #expect(first.terminationStatus == 130, "\(errors(log))")
            for task in 0..<2 {
                #expect(errors(log).contains("task \(task) of 2 ended with status 130"))
            }
            let saved = folder.lastStep("run")
            #expect(saved > 0 && saved < 600)

            let (second, again) = try submit()
            await second.exited()
            #expect(second.terminationStatus == 0, "\(errors(again))")
            #expect(folder.lastStep("run") == 600)
        }
    }

    @Test("The example for Kubernetes trains with two pods")
    func kubernetes() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 1)
            let file = Self.examples.appending("kubernetes-job.yaml")
            let text = try String(contentsOfFile: file.string, encoding: .utf8)
            let list = try #require(text.firstMatch(of: /(?m)^ +args: (\[.*\])$/)).output.1
            let count = try #require(text.firstMatch(of: /WORLD_SIZE, value: "(\d+)"/)).output.1
            #expect(text.contains("completions: \(count) "))
            #expect(text.contains("job-completion-index"))
            let arguments = try JSONDecoder().decode([String].self, from: Data(list.utf8))
                .map { $0 == "8" ? "1" : $0.replacing("/training/", with: "") }
            let port = try Ranks.freePort()
            let pods = try (0..<2).map { rank in
                try Command.start(
                    arguments + Self.comparable.flatMap { ["--set", $0] }, folder: path,
                    environment: [
                        "RANK": "\(rank)", "WORLD_SIZE": String(count), "MASTER_PORT": "\(port)",
                        "MASTER_ADDR": "127.0.0.1",
                    ])
            }
            for (pod, log) in pods {
                await pod.exited()
                let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
                #expect(pod.terminationStatus == 0, "\(errors)")
            }
            #expect(folder.lastStep("run") == 3)
        }
    }
}
