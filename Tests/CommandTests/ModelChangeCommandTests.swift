import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef index with another model", .serialized, .timeLimit(.minutes(30)))
struct ModelChangeCommandTests {
    /// How often the change is killed; set `ALBEF_INDEX_KILLS` for more.
    private static let kills =
        ProcessInfo.processInfo.environment["ALBEF_INDEX_KILLS"].flatMap { Int($0) } ?? 16

    /// A folder with two models, a recall model if the trait asks for one, images, and an index.
    private func withFolder(
        _ count: Int,
        _ body: (FilePath, ([String]) async throws -> Command.Result) async throws
            -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            _ = try TinyModel.search(in: folder)
            try TinyModel(seed: 2).write(to: folder.appending("other"))
            try FileManager.default.createDirectory(
                atPath: folder.appending("photos").string, withIntermediateDirectories: true)
            for number in 0..<count {
                // Different images, because equal ones are encoded once.
                let bytes = TinyImages.bitmap(number % 250, side: 8 + number / 250 * 4)
                try Data(bytes).write(
                    to: URL(filePath: folder.appending("photos/\(number).bmp").string))
            }
            func run(_ arguments: [String]) async throws -> Command.Result {
                try await Command.run(arguments, folder: folder)
            }
            let made = try await run(Self.index("model"))
            #expect(made.status == 0, "\(made.errors)")
            try await body(folder, run)
        }
    }

    private static func index(_ model: String) -> [String] {
        ["index", "photos", "--index", "index", "--batch-size", "1", "--threads", "1"]
            + models(model)
    }

    private static func models(_ model: String) -> [String] {
        ["--model", model] + (TinyModel.hasRecall ? ["--recall", "recall"] : [])
    }

    @Test("Reports the change, its progress, and how to resume it or give it up")
    func words() async throws {
        try await withFolder(1000) { folder, run in
            let (process, log) = try Command.start(Self.index("other"), folder: folder)
            let begun = folder.appending("index/next/segments/00000001.safetensors")
            await Command.signal(process, SIGINT, onceThereIs: begun)
            await process.exited()
            let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            #expect(process.terminationStatus == 130, "\(errors)")
            #expect(
                errors.contains(
                    "building beside the index of model, which searches use until this is done"))
            let hint = "'albef index photos --index index --model \(folder)/other' resumes it"
            #expect(errors.contains(hint), "\(errors)")

            let stats = try await run(["index", "stats", "index", "--json"]).json()
            #expect(stats["model_name"] as? String == "model")
            let change = try #require(stats["change"] as? [String: Any])
            #expect(change["model"] as? String == "other" && change["photos"] as? Int == 1000)
            let encoded = try #require(change["encoded"] as? Int)
            #expect((1..<1000).contains(encoded))
            let table = try await run(["index", "stats", "index"]).output
            #expect(table.contains("\nchange      to other, \(encoded) of 1000 images encoded\n"))
            #expect(table.contains("\nmodel       model, "))
            for command in [["verify"], ["compact"]] {
                let result = try await run(["index"] + command + ["index"])
                #expect(result.status == 0 && result.errors.contains("deleting index/next gives"))
            }

            // Searches use the old index, and other commands work as before.
            let search = ["search", "a dog", "--index", "index", "--json"]
            let found = try await run(search + Self.models("model"))
            #expect((try found.json()["results"] as? [Any])?.count == 10, "\(found.errors)")
            let early = try await run(search + Self.models("other"))
            #expect(early.status == 1 && early.errors.contains("another model, model"))
            let kept = try await run(Self.index("model"))
            #expect(kept.output.contains("1000 unchanged"))
            #expect(kept.errors.contains("a change of this index to other, \(encoded) of 1000"))

            // Without --model, the index's own model is used, not the default.
            let unnamed = try await run(["index", "photos", "--index", "index"])
            #expect(unnamed.output.contains("1000 unchanged"), "\(unnamed.errors)")
            let second = try await run(Self.index("other") + ["--json"])
            #expect(second.status == 0, "\(second.errors)")
            let done = try second.json()
            #expect(done["encoded"] as? Int == 1000 - encoded && done["skipped"] as? [String] == [])
            #expect(done["replaced_model"] as? String == "model")
            #expect(second.errors.contains("the index now belongs to this model instead of model"))
            let late = try await run(search + Self.models("model"))
            #expect(late.status == 1 && late.errors.contains("another model, other"))
            let now = try await run(search + Self.models("other"))
            #expect((try now.json()["results"] as? [Any])?.count == 10, "\(now.errors)")
            let after = try await run(["index", "stats", "index", "--json"]).json()
            #expect(after["change"] == nil && after["model_name"] as? String == "other")
        }
    }

    @Test(
        "Killed at any moment, one of both indexes is complete, and the change resumes",
        .oneModelAndTwo)
    func kills() async throws {
        try await withFolder(400) { folder, run in
            let index = folder.appending("index")
            _ = try await run(["index", "graph", "index"])
            let models = try ["model", "other"].map { name in
                try SearchModel(
                    folder.appending(name),
                    recall: TinyModel.hasRecall ? folder.appending("recall") : nil)
            }
            var (from, encoded, switches) = (0, 0, 0)
            for round in 0..<Self.kills {
                let (process, _) = try Command.start(
                    Self.index(["other", "model"][from]), folder: folder)
                if round.isMultiple(of: 2) {
                    // About when the new index replaces the old one.
                    while process.isRunning, (IndexSuccessor(of: index)?.count ?? 0) < 400 {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...80)))
                } else {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 50...1500)))
                }
                kill(process.processIdentifier, SIGKILL)
                await process.exited()

                let forward = try ForwardIndex(index)
                #expect(forward.count == 400)
                #expect(try ForwardIndex.verify(index).isEmpty)
                let isNew = forward.model.isSame(as: models[1 - from].signature)
                #expect(isNew || forward.model.isSame(as: models[from].signature))
                let answer = try Searcher(models[isNew ? 1 - from : from], forward).search(
                    .text("two dogs"), SearchOptions(count: 10))
                // By the graph; a note would report that it cannot be used.
                #expect(answer.results.count == 10 && answer.notes.isEmpty)
                if isNew {
                    // From here on, change back.
                    (from, encoded, switches) = (1 - from, 0, switches + 1)
                } else {
                    let count = IndexSuccessor(of: index)?.count ?? 0
                    #expect(count >= encoded, "what was encoded is lost")
                    encoded = count
                }
            }
            let last = try await run(Self.index(["other", "model"][from]))
            #expect(last.status == 0, "\(last.errors)")
            let forward = try ForwardIndex(index)
            #expect(forward.model.isSame(as: models[1 - from].signature))
            #expect(forward.count == 400 && forward.statistics.graphRows == 400)
            #expect(try ForwardIndex.verify(index).isEmpty)
            let names = try FileManager.default.contentsOfDirectory(atPath: index.string)
            #expect(!names.contains { $0.contains("next") })
        }
    }

    @Test(
        "A service answers with the index's own model while it changes the index to another"
    )
    func serves() async throws {
        try await withFolder(40) { folder, run in
            let index = folder.appending("index")
            let serve =
                [
                    "serve", "--index", "index", "--photos", "photos", "--port", "0", "--threads",
                    "1",
                ]
                + Self.models("other")
            let other = try SearchModel(
                folder.appending("other"),
                recall: TinyModel.hasRecall ? folder.appending("recall") : nil)
            // Without the old model, the service could not answer.
            let (old, away) = (folder.appending("model").string, folder.appending("away").string)
            try FileManager.default.moveItem(atPath: old, toPath: away)
            let refused = try await run(serve)
            #expect(refused.status == 1 && refused.errors.contains("by 'albef index'"))
            #expect(refused.errors.contains("cannot be loaded to answer"), "\(refused.errors)")
            #expect(IndexSuccessor(of: index) == nil)
            try FileManager.default.moveItem(atPath: away, toPath: old)

            let (process, log) = try Command.start(serve, folder: folder)
            defer { process.terminate() }
            let isChanged = try await eventually {
                let isOther = try ForwardIndex(index).model.isSame(as: other.signature)
                return isOther || !process.isRunning
            }
            let text = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            #expect(isChanged && process.isRunning, "\(text)")
            #expect(text.contains("changing the index to the model other"), "\(text)")
            #expect(text.contains("model answers meanwhile"), "\(text)")
            #expect(try ForwardIndex(index).count == 40)
        }
    }

    @Test("Without a named model, uses the one that made the index", .oneModelAndTwo)
    func unnamed() async throws {
        try await withFolder(4) { folder, run in
            let search = ["search", "a dog", "--index", "index"]
            let found = try await run(search + ["--json"])
            #expect(found.status == 0, "\(found.errors)")
            let model = try #require(try found.json()["model"] as? [String: Any])
            #expect(model["name"] as? String == "model")
            try Data(TinyImages.bitmap(77)).write(
                to: URL(filePath: folder.appending("photos/new.bmp").string))
            let added = try await run(["index", "photos", "--index", "index"])
            #expect(added.output.contains("1 encoded"), "\(added.errors)")

            try FileManager.default.moveItem(
                atPath: folder.appending("model").string, toPath: folder.appending("away").string)
            let lost = try await run(search)
            #expect(lost.status == 64, "\(lost.errors)")
            #expect(lost.errors.contains("the model that made the index, model"))
            #expect(lost.errors.contains("name it with --model"))
            let named = try await run(
                search + ["--model", "away"] + (TinyModel.hasRecall ? ["--recall", "recall"] : []))
            #expect(named.status == 0, "\(named.errors)")
        }
    }

    @Test("Changes an index of texts in the same way")
    func texts() async throws {
        try await withFolder(1) { folder, run in
            try "a dog\ntwo dogs\n".write(
                toFile: folder.appending("x.txt").string, atomically: true, encoding: .utf8)
            let command = ["index", "texts", "x.txt", "--index", "captions"]
            #expect(try await run(command + Self.models("model")).status == 0)
            let changed = try await run(command + Self.models("other"))
            #expect(changed.output.contains("2 encoded"), "\(changed.errors)")
            #expect(changed.errors.contains("building beside the index of model"))
            let found = try await run(
                ["search", "a dog", "--index", "captions"] + Self.models("other"))
            #expect(found.status == 0 && found.output.contains("two dogs"))
        }
    }
}
