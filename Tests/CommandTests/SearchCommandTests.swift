import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Command line", .serialized)
struct SearchCommandTests {
    @Test func searchesAsJSON() async throws {
        try await Command.withIndex { folder in
            let query = "a red bus near the tree"
            let answer = try await Command.run(
                ["search", query, "--model", "model", "--index", "index", "--top", "3", "--json"],
                folder: folder)
            #expect(answer.status == 0, "\(answer.errors)")
            #expect(answer.errors.contains("untrained"))
            let json = try answer.json()
            #expect(json["query"] as? String == query)
            #expect(
                Set(json.keys) == [
                    "query", "model", "reranked", "matches_well", "unknown_words", "results",
                ])
            #expect(json["matches_well"] is NSNull && json["unknown_words"] as? [String] == [])
            let model = try #require(json["model"] as? [String: Any])
            #expect(model["name"] as? String == "model" && model["knows"] is NSNull)
            let results = try #require(json["results"] as? [[String: Any]])
            #expect(results.map { $0["rank"] as? Int } == [1, 2, 3])
            for result in results {
                #expect(
                    Set(result.keys) == [
                        "path", "rank", "recall_rank", "similarity", "match_logit",
                        "match_probability", "folder", "size", "about",
                    ])
                let probability = try #require(result["match_probability"] as? Double)
                #expect((0...1).contains(probability))
                let path = try #require(result["path"] as? String)
                #expect(path.hasPrefix("/") && path.contains("/photos/"))
            }
            let recalled = try await Command.run(
                [
                    "search", query, "--model", "model", "--index", "index", "--no-rerank",
                    "--json",
                ], folder: folder)
            let first = try #require((try recalled.json()["results"] as? [[String: Any]])?.first)
            #expect(first["match_logit"] is NSNull && first["recall_rank"] as? Int == 1)
        }
    }

    @Test func searchesAndScoresAsText() async throws {
        try await Command.withIndex { folder in
            let answer = try await Command.run(
                ["search", "train", "--model", "model", "--index", "index", "-k", "2"],
                folder: folder)
            let lines = answer.output.split(separator: "\n")
            #expect(lines.first == "rank  recall   match   cosine  path")
            #expect(lines.count == 3 && lines[1].hasSuffix(".bmp") && lines[1].contains("photos/"))
            let scores = try await Command.run(
                ["score", "photos/001.bmp", "train", "two dogs", "--model", "model", "--json"],
                folder: folder)
            let list = try #require(try scores.json()["scores"] as? [[String: Any]])
            #expect(list.map { $0["text"] as? String } == ["train", "two dogs"])
        }
    }

    private static let badInput: [(arguments: [String], named: String)] = [
        (["search", "train", "--model", "nowhere", "--index", "index"], "nowhere"),
        (["search", "train", "--model", "model", "--index", "nowhere"], "nowhere"),
        (["search", "", "--model", "model", "--index", "index"], "the query is empty"),
        (["search", "...", "--model", "model", "--index", "index"], "nothing is left"),
        (
            ["search", "train", "--model", "model", "--index", "index", "--image-size", "64"],
            "48 pixels"
        ),
        (["search", "train", "--model", "model", "--index", "index", "--image-size", "50"], "50"),
        (["search", "train", "--model", "model", "--index", "index", "--device", "tpu"], "'tpu'"),
        (["search", "train", "--model", "model", "--index", "index", "--top", "0"], "--top"),
        (["score", "missing.jpg", "train", "--model", "model"], "missing.jpg"),
        (["score", "model/config.json", "train", "--model", "model"], "config.json"),
        (["index", "nowhere", "--model", "model", "--index", "new"], "nowhere"),
        (["index", "model", "--model", "model", "--index", "new"], "no images"),
        (
            ["index", "photos", "--model", "model", "--index", "photos"],
            "contains files but no index"
        ),
    ]

    @Test func badInputIsNamed() async throws {
        try await Command.withIndex { folder in
            for (arguments, named) in Self.badInput {
                let result = try await Command.run(arguments, folder: folder)
                #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
                #expect(result.errors.contains(named), "\(arguments): \(result.errors)")
                #expect(!result.errors.contains("Fatal error"), "\(arguments)")
            }
        }
    }

    private static let outOfBounds: [(arguments: [String], named: String)] = [
        (["search", "a", "-k", "9223372036854775807"], "--top must be from 1 to 1000000"),
        (["search", "a", "--candidates", "9223372036854775807"], "from 1 to 100000"),
        (["search", "a", "--time-budget", "1e300"], "from 0.001 to 86400000"),
        (["search", "a", "--time-budget", "nan"], "from 0.001 to 86400000"),
        (["search", "a", "--min-probability", "nan"], "--min-probability must be from 0 to 1"),
        (["index", "photos", "--batch-size", "9223372036854775807"], "from 1 to 4096"),
        (["index", "photos", "--interval", "inf"], "--interval must be from 0.1 to 86400"),
    ]

    @Test func numbersOutOfBoundsAreUsageErrorsThatNameTheBounds() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for (arguments, named) in Self.outOfBounds {
                let result = try await Command.run(
                    arguments + ["--index", "index"], folder: folder)
                #expect(result.status == 64 && result.output.isEmpty, "\(arguments)")
                #expect(result.errors.contains(named), "\(arguments): \(result.errors)")
            }
        }
    }

    @Test func pathsAloneAreForPipes() async throws {
        try await Command.withIndex { folder in
            let search = ["search", "train", "--model", "model", "--index", "index", "-k", "3"]
            let json = try await Command.run(search + ["--json"], folder: folder).json()
            let results = try #require(json["results"] as? [[String: Any]])
            let paths = results.compactMap { $0["path"] as? String }
            let lines = try await Command.run(search + ["--paths"], folder: folder)
            #expect(lines.output == paths.map { $0 + "\n" }.joined())
            let zeros = try await Command.run(search + ["--print0"], folder: folder)
            #expect(zeros.output == paths.map { $0 + "\0" }.joined())
            let both = try await Command.run(search + ["--print0", "--json"], folder: folder)
            #expect(both.status == 64)
        }
    }

    @Test func equalImagesAreFolded() async throws {
        try await Command.withIndex { folder in
            for number in 0..<4 {
                try FileManager.default.copyItem(
                    atPath: folder.appending("photos/003.bmp").string,
                    toPath: folder.appending("photos/copy\(number).bmp").string)
            }
            let made = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index"], folder: folder)
            #expect(made.output.contains("4 copied from identical files, 10 unchanged"))
            let search = [
                "search", "train", "--model", "model", "--index", "index", "-k", "20",
                "--fold-duplicates",
            ]
            let json = try await Command.run(search + ["--json"], folder: folder).json()
            let results = try #require(json["results"] as? [[String: Any]])
            #expect(results.map { $0["rank"] as? Int } == Array(1...10))
            let duplicates = results.map { ($0["duplicates"] as? [Any])?.count }
            #expect(duplicates.filter { $0 == 4 }.count == 1)
            #expect(duplicates.filter { $0 == 0 }.count == 9)
            let table = try await Command.run(search, folder: folder)
            #expect(table.output.split(separator: "\n").count == 11)
            #expect(table.output.contains(" (and 4 equal)\n"))
        }
    }

    @Test func signsInAQueryAndSeveralImagesAreReadAsWhatTheyMean() async throws {
        try await Command.withIndex { folder in
            let search = ["search", "--model", "model", "--index", "index", "--json"]
            let signs = try await Command.run(
                search + ["two^2 dogs -\"a hat\" -牵绳"], folder: folder
            ).json()
            #expect(signs["query"] as? String == "two dogs")
            #expect(signs["without"] as? [String] == ["a hat", "牵绳"])
            #expect(signs["emphasis"] as? [String: Double] == ["two": 2])
            let images = try await Command.run(
                search + [
                    "--image", "photos/001.bmp", "--image", "photos/002.bmp", "--unlike",
                    "photos/003.bmp",
                ], folder: folder
            ).json()
            #expect(images["images"] as? [String] == ["photos/001.bmp", "photos/002.bmp"])
            #expect(images["unlike"] as? [String] == ["photos/003.bmp"])
            #expect((images["results"] as? [Any])?.count == 10)
            let alone = try await Command.run(search + ["--", "-leash"], folder: folder)
            #expect(alone.status == 64)
            #expect(alone.errors.contains("without: the query contains only exclusions"))
            let both = try await Command.run(
                search + ["--image", "photos/001.bmp", "--", "-leash"], folder: folder
            ).json()
            #expect(both["query"] == nil && both["image"] as? String == "photos/001.bmp")
            let folded = try await Command.run(search + ["two dogs", "--fold"], folder: folder)
                .json()
            let results = try #require(folded["results"] as? [[String: Any]])
            #expect(results.allSatisfy { $0["duplicates"] is [Any] })
        }
    }

    @Test func controlCharactersInNamesAndTextsReachNoTerminal() async throws {
        try await Command.withIndex { folder in
            let names = ["x\u{1B}[2Jy.bmp", "one\n  99      99   99.9 %   0.9999  fake.bmp"]
            for name in names {
                try FileManager.default.copyItem(
                    atPath: folder.appending("photos/000.bmp").string,
                    toPath: folder.appending("photos").string + "/" + name)
            }
            try Data("no image".utf8).write(
                to: URL(filePath: folder.appending("photos").string + "/bad\u{1B}]0;title\u{7}.png")
            )
            let index = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index"], folder: folder)
            let search = ["search", "train", "--model", "model", "--index", "index", "-k", "20"]
            let found = try await Command.run(search, folder: folder)
            for text in [index.output, index.errors, found.output, found.errors] {
                #expect(!text.contains("\u{1B}") && !text.contains("\u{7}"))
            }
            #expect(index.errors.contains("bad\\u{1b}]0;title\\u{7}.png"))
            // The table has one row per result.
            #expect(found.output.split(separator: "\n").count == 13)
            #expect(found.output.contains("photos/one\\n  99"))
            let json = try await Command.run(search + ["--json"], folder: folder).json()
            let results = try #require(json["results"] as? [[String: Any]])
            let paths = results.compactMap { $0["path"] as? String }
            for name in names { #expect(paths.contains { $0.hasSuffix(name) }) }
            let score = try await Command.run(
                ["score", "photos/000.bmp", "a \u{1B}[2Jdog\n", "--model", "model"], folder: folder)
            #expect(!score.output.contains("\u{1B}"))
            #expect(score.output.split(separator: "\n").count == 2)
        }
    }

    @Test func longQueriesAreCutAndSaidSo() async throws {
        try await Command.withIndex { folder in
            let long = String(repeating: "two dogs playing ", count: 600)
            #expect(long.count > 10_000)
            let result = try await Command.run(
                ["search", long, "--model", "model", "--index", "index", "--json"],
                folder: folder)
            #expect(result.status == 0)
            #expect(result.errors.contains("only its beginning is read"))
        }
    }

    @Test func whatTheModelKnowsAndThatNothingMatchesWellIsSaid() async throws {
        try await Command.withIndex { folder in
            let model = folder.appending("model").string
            try Data("# model\n\ncolours of squares\n".utf8).write(
                to: URL(filePath: model + "/card.md"))
            let search = ["search", "--model", "model", "--index", "index", "-k", "2"]
            func run(_ words: String...) async throws -> Command.Result {
                try await Command.run(search + words, folder: folder)
            }
            let known = try await run("a red dog")
            #expect(known.errors.contains("model: colours of squares\n"))
            #expect(known.output.hasPrefix("rank "))
            let foreign = try await run("黑色上衣 qwxz 狗 \u{1B}")
            let lines = foreign.output.split(separator: "\n")
            #expect(lines.count == 5)
            #expect(lines[0] == "nothing here matches well")
            #expect(lines[1] == #"does not know: "黑色上衣", "qwxz", "狗""#)
            #expect(lines[2].hasPrefix("rank "))
            let json = try await run("黑色上衣", "--json").json()
            #expect(json["matches_well"] as? Bool == false)
            #expect(json["unknown_words"] as? [String] == ["黑色上衣"])
            let named = json["model"] as? [String: Any]
            #expect(named?["knows"] as? String == "colours of squares")
            let paths = try await run("黑色上衣", "--paths")
            #expect(paths.output.split(separator: "\n").allSatisfy { $0.hasSuffix(".bmp") })
            #expect(paths.errors.contains("note: nothing here matches well\n"))

            try Data(#"{"temperature": 1, "bias": -50, "least": 0.2}"#.utf8).write(
                to: URL(filePath: model + "/calibration.json"))
            let improbable = try await run("a red dog")
            #expect(improbable.output.hasPrefix("nothing here matches well\nrank "))
            #expect(!improbable.errors.contains("nothing here"))
            let towers = try await run("a red dog", "--no-rerank")
            #expect(towers.output.hasPrefix("rank "))
            let made = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index", "--json"],
                folder: folder)
            #expect(made.errors.contains("model: colours of squares\n"))
            let report = try made.json()["model"] as? [String: Any]
            #expect(report?["name"] as? String == "model")
            #expect(report?["knows"] as? String == "colours of squares")
        }
    }

    @Test func unreadableFoldersAreReported() async throws {
        try await Command.withIndex { folder in
            let locked = folder.appending("photos").appending("locked").string
            try FileManager.default.createDirectory(
                atPath: locked, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: locked)
            let result = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index"], folder: folder)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: locked)
            #expect(result.status == 0)
            // The superuser can read it anyway.
            if geteuid() != 0 { #expect(result.errors.contains("locked")) }
        }
    }

    @Test func interruptingKeepsWhatWasEncoded() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(400, to: folder.appending("photos"))
            let (process, log) = try Command.start(
                ["index", "photos", "--model", "model", "--index", "index", "--batch-size", "1"],
                folder: folder)
            let index = folder.appending("index")
            for _ in 0..<9600 where process.isRunning {
                if let index = try? ForwardIndex(index), index.count > 0 { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            kill(process.processIdentifier, SIGINT)
            await process.exited()
            // A fast machine may have finished by then.
            #expect([0, 130].contains(process.terminationStatus))
            let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            #expect(!errors.contains("CancellationError"))
            #expect(try ForwardIndex(index).count > 0)
            #expect(try ForwardIndex.verify(index).isEmpty)
        }
    }
}
