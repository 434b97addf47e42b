#if os(Linux)
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @Suite("The heap of a training process", .timeLimit(.minutes(30)))
    struct TrainingHeapTests {
        /// glibc gives a thread a heap of its own in 64 MiB of addresses, which start at a multiple of
        /// that: first the used part, then the rest.
        private static func furtherHeaps(of process: Process) throws -> Int {
            let size = 64 << 20
            // Read by `cat`, because Foundation ends after one page of such a file.
            let reader = Process()
            let output = Pipe()
            reader.executableURL = URL(filePath: "/bin/cat")
            reader.arguments = ["/proc/\(process.processIdentifier)/maps"]
            reader.standardOutput = output
            try reader.run()
            let text = String(
                decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let maps = text.split(separator: "\n").map { line in
                let fields = line.split(separator: " ")
                let ends = fields[0].split(separator: "-").map { Int($0, radix: 16) ?? 0 }
                return (start: ends[0], end: ends[1], rights: fields[1])
            }
            return zip(maps, maps.dropFirst()).count { used, rest in
                used.rights == "rw-p" && rest.rights == "---p" && used.end == rest.start
                    && used.start % size == 0 && rest.end - used.start == size
            }
        }

        @Test("All threads share one heap, so that a step's memory serves the next")
        func sharing() async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let training = try TrainingFolder(folder, epochs: 100_000)
                let (process, log) = try Command.start(training.arguments("run"), folder: folder)
                defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
                let metrics = folder.appending("run").appending("metrics.jsonl").string
                _ = try await eventually {
                    let steps = try? String(contentsOfFile: metrics, encoding: .utf8)
                    return (steps?.split(separator: "\n").count ?? 0) >= 3 || !process.isRunning
                }
                let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
                try #require(process.isRunning, "\(errors)")
                #expect(try Self.furtherHeaps(of: process) == 0)
            }
        }
    }
#endif
