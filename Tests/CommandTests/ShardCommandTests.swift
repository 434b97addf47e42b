import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import Storage
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("albef index add --shard and albef index merge", .serialized, .timeLimit(.minutes(30)))
struct ShardCommandTests {
    private static let examples = Fixtures.repository.appending("Examples/indexing")

    /// A folder with a model, and images in two folders: `counts` different ones in the shards of
    /// four, and some copies.
    private func withGallery(
        _ counts: [Int],
        _ body: (FilePath, ([String]) async throws -> Command.Result) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            _ = try TinyModel.search(in: folder)
            let photos = folder.appending("photos")
            try FileManager.default.createDirectory(
                atPath: photos.appending("more").string, withIntermediateDirectories: true)
            var (left, written, number) = (counts, 0, 0)
            while left.contains(where: { $0 > 0 }) {
                number += 1
                let name = number.isMultiple(of: 3) ? "more/\(number).bmp" : "\(number).bmp"
                let path = photos.pushing(FilePath(name))
                let shard = (0..<4).first {
                    IndexShard($0, of: 4)?.contains(path, in: photos) == true
                }
                guard let shard, left[shard] > 0 else { continue }
                left[shard] -= 1
                try Data(Self.bitmap(written)).write(to: URL(filePath: path.string))
                written += 1
            }
            for number in 0..<6 {
                try Data(Self.bitmap(number * 3)).write(
                    to: URL(filePath: photos.appending("copy-\(number).bmp").string))
            }
            try await body(folder) { try await Command.run($0, folder: folder) }
        }
    }

    /// Different images for different numbers.
    private static func bitmap(_ number: Int) -> [UInt8] {
        TinyImages.bitmap(number % 250, side: 8 + number / 250 * 4)
    }

    /// One image after the other, so that no vector depends on which images were encoded together.
    private static let singly = ["--model", "model", "--batch-size", "1"]

    /// The environment of one task of an array of four.
    private func task(_ number: Int) -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return [
            "PATH": "\(Command.executable.deletingLastPathComponent().path):\(path)",
            "SLURM_ARRAY_TASK_ID": "\(number)", "SLURM_ARRAY_TASK_COUNT": "4",
        ]
    }

    private func start(_ number: Int, _ folder: FilePath) throws -> (Process, FilePath) {
        try Command.start(
            [Self.examples.appending("encode.sbatch").string, "photos", "shards"] + Self.singly,
            folder: folder, program: "/bin/bash", environment: task(number))
    }

    private func errors(_ log: FilePath) -> String {
        (try? String(contentsOfFile: "\(log.string).err", encoding: .utf8)) ?? ""
    }

    @Test("Four processes, one of them killed and started again, make the index of one process")
    func fourProcesses() async throws {
        // The third shard needs four commits, of 128 images and less.
        try await withGallery([20, 20, 400, 20]) { folder, run in
            let whole = try await run(
                ["index", "photos", "--index", "whole", "--threads", "1"] + Self.singly)
            #expect(whole.status == 0, "\(whole.errors)")

            let started = try (0..<4).map { try start($0, folder) }
            let third = folder.appending("shards/shard-2-of-4")
            // The first commit makes the index. When the file of the third one appears, the second
            // has images and is published.
            await Command.signal(
                started[2].0, SIGKILL,
                onceThereIs: third.appending("segments/00000003.safetensors"))
            for (number, (process, log)) in started.enumerated() {
                await process.exited()
                let isKilled = process.terminationReason == .uncaughtSignal
                #expect(isKilled == (number == 2), "\(errors(log))")
                if number != 2 { #expect(process.terminationStatus == 0, "\(errors(log))") }
            }
            let merge = ["index", "merge", "shards", "--index", "merged"]
            let early = try await run(merge)
            #expect(early.status == 1 && early.errors.contains("shard 2/4 is not finished"))
            #expect(
                early.errors.contains("--shard 2/4") && early.errors.contains("--allow-missing"))
            #expect(!FileManager.default.fileExists(atPath: folder.appending("merged").string))

            let known = try ForwardIndex(third)
            #expect(known.count > 0 && !known.statistics.isFinished)
            let (again, log) = try start(2, folder)
            await again.exited()
            #expect(again.terminationStatus == 0, "\(errors(log))")
            let output = try String(contentsOfFile: "\(log.string).out", encoding: .utf8)
            #expect(output.contains("\(known.count) unchanged"), "\(output)")
            // Nothing is left to do, and nothing is done.
            let finished = try ForwardIndex(third)
            #expect(finished.statistics.isFinished)
            let (idle, _) = try start(2, folder)
            await idle.exited()
            #expect(try ForwardIndex(third).generation == finished.generation)

            let merged = try await run(merge)
            #expect(merged.status == 0, "\(merged.errors)")
            #expect(merged.output.contains("merged 466 images of 4 indexes"))
            try checkEqual(folder.appending("merged"), folder.appending("whole"), folder)

            // The shards may go.
            try FileManager.default.removeItem(atPath: folder.appending("shards").string)
            #expect(try ForwardIndex.verify(folder.appending("merged")).isEmpty)
        }
    }

    /// Checks that two indexes have the same entries and, but for rounding, the same vectors, and
    /// that searches agree.
    private func checkEqual(_ one: FilePath, _ two: FilePath, _ folder: FilePath) throws {
        let (one, two) = (try ForwardIndex(one), try ForwardIndex(two))
        #expect(one.count == two.count && one.shard == nil && one.budget == two.budget)
        let locator = EntryLocator()
        func difference(_ one: Tensor, _ two: Tensor) -> Float {
            zip(one.values(as: Float.self), two.values(as: Float.self))
                .map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
        }
        for id in two.ids {
            let entry = try two.entry(id)
            let other = try #require(try locator.find(EntryKey(entry.path), in: one))
            #expect(try one.entry(other) == entry)
            #expect(difference(try one.features([other]), try two.features([id])) < 1e-6)
            let tokens = try #require(one.tokens([other]))
            let same = try #require(two.tokens([id]))
            // Tokens have half precision, so they may differ by its last digit.
            #expect(difference(tokens.values, same.values) <= 1.0 / 1024)
        }
        let model = try TinyModel.opened(in: folder)
        let searchers = try [one, two].map { try Searcher(model, $0) }
        let (found, expected) = (
            try searchers[0].search("two dogs", count: 64),
            try searchers[1].search("two dogs", count: 64)
        )
        #expect(Set(found.map(\.path)) == Set(expected.map(\.path)))
        for (one, two) in zip(found, expected) {
            #expect(abs(one.similarity - two.similarity) < 1e-5)
            #expect(abs((one.matchLogit ?? 0) - (two.matchLogit ?? 1)) < 1e-2)
        }
    }

    @Test("Names what does not fit, before anything is encoded or written")
    func mistakes() async throws {
        try await withGallery([6, 6, 6, 6]) { folder, run in
            let encode = ["index", "photos", "--model", "model", "--index"]
            let first = try await run(encode + ["shards", "--shard", "0/4", "--json"])
            #expect(first.status == 0, "\(first.errors)")
            let shard = try #require(try first.json()["shard"] as? [String: Any])
            #expect(shard["number"] as? Int == 0 && shard["finished"] as? Bool == true)
            func refusal(_ arguments: [String], _ texts: String...) async throws {
                let result = try await run(arguments)
                #expect(result.status == 1)
                for text in texts { #expect(result.errors.contains(text), "\(result.errors)") }
            }
            let merge = ["index", "merge", "shards", "--index", "merged"]
            try await refusal(merge, "of 4 shards, 3 are missing: 1, 2, 3", "--shard 1/4")
            #expect(!FileManager.default.fileExists(atPath: folder.appending("merged").string))
            let partial = try await run(merge + ["--allow-missing", "--json"])
            #expect(partial.status == 0, "\(partial.errors)")
            #expect((try partial.json()["entries"] as? Int ?? 0) >= 6)
            try await refusal(
                encode + ["shards", "--shard", "0/5"], "divided into 4, not 5", "another folder")
            let own = "shards/shard-0-of-4"
            try await refusal(encode + [own], "holds shard 0/4", "--shard 0/4")
            try await refusal(encode + [own, "--shard", "0/4"], "is an index", "name a folder")
            try await refusal(
                ["serve", "--index", own, "--photos", "photos", "--port", "0"], "holds shard 0/4")
            for value in ["4/4", "auto/0", "1"] {
                let usage = try await run(encode + ["x", "--shard", value])
                #expect(usage.status == 64, "\(value)")
            }
        }
    }

    @Test("The example for Kubernetes is a job whose pods encode and merge")
    func kubernetes() async throws {
        try await withGallery([6, 6, 6, 6]) { folder, _ in
            for (file, indexes) in [("encode.yaml", [0, 1, 2, 3]), ("merge.yaml", [0])] {
                let path = Self.examples.appending(file)
                let text = try String(contentsOfFile: path.string, encoding: .utf8)
                _ = try SettingsYAML.parse(text, place: file)
                let list = try #require(text.firstMatch(of: /(?m)^ +args: (\[.*\])$/)).output.1
                var arguments = try JSONDecoder().decode([String].self, from: Data(list.utf8))
                for (place, name) in [("/pictures", "photos"), ("/indexes/", "")] {
                    arguments = arguments.map {
                        $0.hasPrefix(place) ? name + $0.dropFirst(place.count) : $0
                    }
                }
                if arguments[1] == "add" { arguments += ["--model", "model"] }
                let pods = try indexes.map { index in
                    try Command.start(
                        arguments, folder: folder,
                        environment: ["JOB_COMPLETION_INDEX": "\(index)"])
                }
                for (pod, log) in pods {
                    await pod.exited()
                    #expect(pod.terminationStatus == 0, "\(errors(log))")
                }
            }
            #expect(try ForwardIndex(folder.appending("pictures.index")).count == 30)
        }
    }
}
