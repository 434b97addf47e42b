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
            let folder = try TrainingFolder(path, epochs: 12)
            let arguments =
                [Self.examples.appending("slurm.sbatch").string, "settings.yaml", "run"]
                + Self.comparable.flatMap { ["--set", $0] }
            func submit() throws -> (Process, FilePath) {
                try Command.start(
                    arguments, folder: path, program: "/bin/bash",
                    environment: job(port: Ranks.freePort()))
            }
            func errors(_ log: FilePath) -> String {
                (try? String(contentsOfFile: "\(log.string).err", encoding: .utf8)) ?? ""
            }
            let (first, log) = try submit()
            try await folder.wait(for: first) { folder.lastStep("run") > 0 }
            // As --signal=TERM does before the time limit.
            first.terminate()
            await first.exited()
            #expect(first.terminationStatus == 130, "\(errors(log))")
            for task in 0..<2 {
                #expect(errors(log).contains("task \(task) of 2 ended with status 130"))
            }
            let saved = folder.lastStep("run")
            #expect(saved > 0 && saved < 36)

            let (second, again) = try submit()
            await second.exited()
            #expect(second.terminationStatus == 0, "\(errors(again))")
            #expect(folder.lastStep("run") == 36)
            let alone = try await Command.run(
                folder.arguments("alone") + Self.comparable.flatMap { ["--set", $0] }, folder: path)
            #expect(alone.status == 0, "\(alone.errors)")
            try Self.expectEqual(
                Self.tensors(folder, "alone"), Self.tensors(folder, "run"), "Slurm")
        }
    }

    @Test("The example for Kubernetes trains with two pods, and a pod that is killed comes back")
    func kubernetes() async throws {
        try await Fixtures.withTemporaryFolder { path in
            let folder = try TrainingFolder(path, epochs: 20)
            let file = Self.examples.appending("kubernetes-job.yaml")
            let text = try String(contentsOfFile: file.string, encoding: .utf8)
            let list = try #require(text.firstMatch(of: /(?m)^ +args: (\[.*\])$/)).output.1
            let count = try #require(text.firstMatch(of: /WORLD_SIZE, value: "(\d+)"/)).output.1
            #expect(text.contains("completions: \(count) "))
            #expect(text.contains("job-completion-index"))
            let arguments = try JSONDecoder().decode([String].self, from: Data(list.utf8))
                .map { $0 == "8" ? "1" : $0.replacing("/work/", with: "") }
            let port = try Ranks.freePort()
            // The kubelet starts a container again that has failed.
            func start(_ rank: Int) throws -> (Process, FilePath) {
                try Command.start(
                    arguments + Self.comparable.flatMap { ["--set", $0] }, folder: path,
                    environment: [
                        "RANK": "\(rank)", "WORLD_SIZE": String(count), "MASTER_PORT": "\(port)",
                        "MASTER_ADDR": "127.0.0.1",
                    ])
            }
            func run(_ rank: Int, from first: (Process, FilePath)) async throws -> Int {
                var (pod, log) = first
                for attempt in 0..<20 {
                    await pod.exited()
                    if pod.terminationStatus == 0, pod.terminationReason == .exit { return attempt }
                    (pod, log) = try start(rank)
                }
                Issue.record("\(try String(contentsOfFile: "\(log.string).err", encoding: .utf8))")
                return 20
            }
            let first = [try start(0), try start(1)]
            try await folder.wait(for: first[0].0) { folder.lastStep("run") > 0 }
            Foundation.kill(first[1].0.processIdentifier, SIGKILL)
            async let zero = run(0, from: first[0])
            async let one = run(1, from: first[1])
            let attempts = try await [zero, one]
            #expect(attempts[1] > 0, "the pod that was killed was not started again")
            #expect(folder.lastStep("run") == 60)
        }
    }
}
