import ALBEF
import Foundation
import ImageText
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef evaluate grounding and predict grounding")
struct GroundingCommandTests {
    private let arguments = ["--model", "model", "--device", "cpu", "--threads", "1"]
    private let evaluation = [
        "evaluate", "grounding", "test.json", "--proposals", "dets.json", "--images", "images",
    ]

    /// A folder with a small model, images of 8 x 8 pixels, texts and proposals.
    private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel(task: .grounding).write(to: folder.appending("model"))
            try TinyImages.write(3, to: folder.appending("images"))
            try write(
                """
                [{"image": "000.bmp", "text": ["a red dog", "the dog"], "bbox": [0, 0, 4, 8],
                  "ref_id": 7, "split": "val"},
                 {"image": "001.bmp", "text": "two cats", "bbox": [4, 0, 4, 4], "split": "testA"},
                 {"image": "002", "text": "a <bus> & tree", "bbox": [0, 4, 8, 4], "split": "testA"}]
                """, folder, "test.json")
            try write(
                """
                {"000": [[0, 0, 4.5, 8, 0.9], [4, 0, 4, 8]], "001": [],
                 "002": [[0, 0, 8, 4], [0, 4, 8, 4], [2, 2, 3.5, 3]]}
                """, folder, "dets.json")
            try await body(folder)
        }
    }

    private func write(_ text: String, _ folder: FilePath, _ name: String) throws {
        try text.write(
            toFile: folder.appending(name).string, atomically: true, encoding: .utf8)
    }

    @Test("The table, the JSON and the dump agree")
    func outcome() async throws {
        try await withFolder { folder in
            let table = try await Command.run(evaluation + arguments, folder: folder)
            #expect(table.status == 0, "\(table.errors)")
            let lines = table.output.split(separator: "\n").map(String.init)
            #expect(
                lines[0]
                    == "right in percent ± standard error, 4 texts and 3 images, itm at layer 2")
            #expect(lines[1].contains("texts") && lines[1].contains("no proposal scored"))
            #expect(lines[2].hasPrefix("  val") && lines[3].hasPrefix("  testA"))
            #expect(lines[4].hasPrefix("  all"))

            let result = try await Command.run(
                evaluation + ["--dump", "d.jsonl", "--overlays", "figures", "--json"] + arguments,
                folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            let json = try result.json()
            #expect(Set(json.keys) == ["images", "layers", "left_out"])
            let layers = try #require(json["layers"] as? [[String: Any]])
            #expect(layers.count == 1 && layers[0]["mode"] as? String == "itm")
            #expect(Set(layers[0].keys) == ["mode", "layer", "splits", "all"])
            let splits = try #require(layers[0]["splits"] as? [[String: Any]])
            #expect(splits.map { $0["split"] as? String } == ["val", "testA"])
            let all = try #require(layers[0]["all"] as? [String: Any])
            #expect(Set(all.keys) == ["texts", "right", "reachable", "no_proposal_scored"])

            let dump = try String(
                contentsOfFile: folder.appending("d.jsonl").string, encoding: .utf8)
            let details = try dump.split(separator: "\n").map {
                try #require(
                    try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(details.map { $0["entry"] as? String } == ["[0]", "[0]", "[1]", "[2]"])
            #expect(details[0]["ref_id"] as? Int == 7 && details[0]["split"] as? String == "val")
            #expect(details[2]["chosen"] == nil && details[2]["right"] as? Bool == false)
            let right = details.count { $0["right"] as? Bool == true }
            let share = try #require(all["right"] as? [String: Any])
            #expect(share["percent"] as? Double == Double(right) * 25)
            #expect(
                all["no_proposal_scored"] as? Int == details.count { $0["chosen"] == nil })
            let without = details.count { $0["chosen"] == nil }
            #expect(lines[5] == "no proposal scored: \(without); these texts count as wrong")

            for (index, detail) in details.enumerated() {
                let name = detail["right"] as? Bool == true ? "right" : "wrong"
                let figure = try ImageLoader().load(
                    folder.appending("figures").appending("00000\(index)-\(name).jpg"))
                #expect(figure.width == 680 && figure.height > 700)
            }
        }
    }

    @Test("A sweep has a row per layer of both modes, or of one")
    func sweep() async throws {
        try await withFolder { folder in
            let table = try await Command.run(evaluation + ["--sweep"] + arguments, folder: folder)
            #expect(table.status == 0, "\(table.errors)")
            let rows = table.output.split(separator: "\n").dropFirst(2).prefix(4)
            #expect(rows.map { $0.prefix(7) } == ["  itm 2", "  itm 3", "  itc 0", "  itc 1"])
            let one = try await Command.run(
                evaluation + ["--sweep", "--mode", "itc", "--dump", "d.jsonl", "--json"]
                    + arguments, folder: folder)
            #expect(one.status == 0, "\(one.errors)")
            let layers = try #require(try one.json()["layers"] as? [[String: Any]])
            #expect(layers.map { $0["layer"] as? Int } == [0, 1])
            let dump = try String(
                contentsOfFile: folder.appending("d.jsonl").string, encoding: .utf8)
            #expect(dump.split(separator: "\n").count == 8)
        }
    }

    @Test("A model of two towers without a class token has a sweep of what it can do, or an error")
    func partialModels() async throws {
        try await withFolder { folder in
            try TinyModel(task: .alignment).write(to: folder.appending("model"))
            let swept = try await Command.run(evaluation + ["--sweep"] + arguments, folder: folder)
            #expect(swept.status == 0, "\(swept.errors)")
            #expect(swept.errors.contains("note: the layers by itm are left out"))
            #expect(!swept.output.contains("itm ") && swept.output.contains("  itc 1"))
            let refused = try await Command.run(evaluation + arguments, folder: folder)
            #expect(refused.status != 0 && refused.output.isEmpty)
            #expect(refused.errors.contains("use --mode itc"))
            var vision = ALBEFConfiguration.Vision(
                imageSize: 48, width: 24, depth: 2, heads: 4, mlpWidth: 48)
            vision.pooling = .mean
            try TinyModel(task: .alignment, vision: vision).write(to: folder.appending("model"))
            let none = try await Command.run(evaluation + ["--sweep"] + arguments, folder: folder)
            #expect(none.status != 0 && none.output.isEmpty, "\(none.errors)")
        }
    }

    @Test("Rejects what it cannot read, by file and record, and bad options")
    func refusals() async throws {
        try await withFolder { folder in
            try write(#"{"000": [[0, 0, 4, 8]]}"#, folder, "few.json")
            try write("[[0, 0, 9.5, 2]]", folder, "large.json")
            for (command, expected) in [
                (
                    ["--proposals", "few.json"],
                    "test.json: [1].image: '001.bmp' has no boxes in few.json"
                ),
                (["--proposals", "none.json"], "none.json"),
                (["--layer", "1"], "layer 1 does not read the image"),
                (["--mode", "itc", "--layer", "2"], "has no block 2: its blocks are 0 to 1"),
                (["--sweep", "--layer", "2"], "leave out --layer"),
                (["--sweep", "--overlays", "f"], "leave out --sweep"),
                (["--recall", "model"], "--recall: the place of a text is found by --model alone"),
                (["--dump", "no/d.jsonl"], "no/d.jsonl"),
                (["--limit", "-1"], "--limit"),
            ] {
                let result = try await Command.run(
                    ["evaluate", "grounding", "test.json", "--images", "images"]
                        + (command[0] == "--proposals" ? [] : ["--proposals", "dets.json"])
                        + command + arguments, folder: folder)
                #expect(result.status != 0 && result.output.isEmpty)
                #expect(result.errors.contains(expected), "\(result.errors)")
                #expect(!result.errors.contains("Fatal error"))
            }
            for (command, expected) in [
                (["--proposals", "large.json"], "large.json: [0]: the box 0.0, 0.0, 9.5, 2.0"),
                (["--proposals", "few.json"], "few.json: has no boxes of 'images/001.bmp'"),
                (["-o", "heat.gif"], "--output 'heat.gif' must end in .png or .jpg"),
                (["-o", "images/../images/001.bmp"], "must end in .png or .jpg"),
                (["--layer", "9"], "layer 9 does not read the image"),
            ] {
                let result = try await Command.run(
                    ["predict", "grounding", "images/001.bmp", "a dog"] + command + arguments,
                    folder: folder)
                #expect(result.status != 0 && result.output.isEmpty)
                #expect(result.errors.contains(expected), "\(result.errors)")
            }
        }
    }

    @Test("Leaves out missing and damaged images and counts their texts")
    func missing() async throws {
        try await withFolder { folder in
            try FileManager.default.removeItem(
                atPath: folder.pushing("images/001.bmp").string)
            let refused = try await Command.run(evaluation + arguments, folder: folder)
            #expect(refused.status == 1 && refused.output.isEmpty)
            #expect(refused.errors.contains("images/001.bmp does not exist"))
            // Its size is known, but its pixels end early.
            let image = try ImageLoader().load(TinyImages.bitmap(2, side: 64), named: "an image")
            let bytes = try JPEGEncoder.encode(image, quality: 90, named: "an image")
            try FileManager.default.removeItem(
                atPath: folder.pushing("images/002.bmp").string)
            try Data(bytes.prefix(bytes.count / 2)).write(
                to: URL(filePath: folder.pushing("images/002.jpg").string))
            let skipped = try await Command.run(
                evaluation + ["--skip-missing", "--json"] + arguments, folder: folder)
            #expect(skipped.status == 0, "\(skipped.errors)")
            #expect(skipped.errors.contains("note: left out 1 texts whose images are missing"))
            #expect(skipped.errors.contains("note: left out 1 texts; 1 images cannot be read:"))
            #expect(try skipped.json()["left_out"] as? Int == 2)
        }
    }

    @Test("A prediction chooses a proposal, or estimates a box around the peak")
    func prediction() async throws {
        try await withFolder { folder in
            let base = ["predict", "grounding", "images/002.bmp", "a <bus> & tree"] + arguments
            let chosen = try await Command.run(
                base + ["--proposals", "dets.json", "-o", "a.png", "--json"], folder: folder)
            #expect(chosen.status == 0, "\(chosen.errors)")
            let json = try chosen.json()
            #expect(
                Set(json.keys) == [
                    "path", "text", "mode", "layer", "similarity", "match_probability", "width",
                    "height", "map", "peak", "box", "source", "proposal", "score",
                ])
            #expect(json["source"] as? String == "proposals" && json["width"] as? Int == 8)
            let boxes = [[0, 0, 8, 4], [0, 4, 8, 4], [2, 2, 3.5, 3]]
            let index = try #require(json["proposal"] as? Int)
            #expect(json["box"] as? [Double] == boxes[index])
            #expect((json["map"] as? [[Double]])?.map(\.count) == [3, 3, 3])
            let figure = try ImageLoader().load(folder.appending("a.png"))
            #expect(figure.width == 680)

            let estimate = try await Command.run(
                base + ["--mode", "itc", "-o", "b.jpg"], folder: folder)
            #expect(estimate.status == 0, "\(estimate.errors)")
            #expect(estimate.output.contains("cosine") && !estimate.output.contains("match"))
            #expect(estimate.output.contains("hottest point "))
            #expect(estimate.output.contains("(an estimate, around the heat above half"))
            let table = try await Command.run(
                base + ["--proposals", "dets.json"], folder: folder)
            #expect(table.output.contains("(proposal \(index) of 0 to 2, score "))
            try write("[]", folder, "none.json")
            let none = try await Command.run(
                base + ["--proposals", "none.json", "--json"], folder: folder)
            #expect(none.status == 0, "\(none.errors)")
            #expect(try none.json()["box"] == nil)
        }
    }
}
