import Foundation
import Testing
import Torch

#if os(Linux)
    @Suite("Processors that other programs use")
    struct SharedProcessorsTests {
        /// Whether the environment says how threads wait, so that the program does not.
        private static var isDecided: Bool {
            let environment = ProcessInfo.processInfo.environment
            return environment["OMP_WAIT_POLICY"] != nil || environment["GOMP_SPINCOUNT"] != nil
        }

        private static func threads() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
        }

        /// Starts a program that computes until this process ends.
        private static func occupyProcessor() throws -> Process {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = [
                "-c",
                """
                while kill -0 $PPID 2> /dev/null; do
                  i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done
                done
                """,
            ]
            try process.run()
            return process
        }

        @Test(
            "An idle team joins while they are busy, and results stay the same",
            .disabled(if: isDecided))
        func idleTeam() async {
            // What threads do belongs to the process, so this test has its own.
            await #expect(processExitsWith: .success) {
                // Products of this size run on all threads.
                let x = Tensor.normal([1024, 1024], generator: try Generator(seed: 3))
                let expected: [Float] = x.linear(x, nil).values()
                let other = try SharedProcessorsTests.occupyProcessor()
                defer { other.terminate() }
                let processors = ProcessInfo.processInfo.activeProcessorCount
                let before = try SharedProcessorsTests.threads()
                shareProcessors()
                // One more thread watches; the team has two members more than processors.
                while try SharedProcessorsTests.threads() < before + 1 + processors + 2 {
                    _ = x.linear(x, nil)
                }
                #expect(x.linear(x, nil).values() == expected)
            }
        }
    }
#endif
