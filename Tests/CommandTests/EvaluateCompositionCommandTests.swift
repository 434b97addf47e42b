import ALBEF
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef evaluate choice and pairs")
struct EvaluateCompositionCommandTests {
    private let arguments = ["--model", "model", "--device", "cpu", "--threads", "1"]

    /// A folder with a small model, images and annotations.
    private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(6, to: folder.appending("images"))
            let words = ["dog", "cat", "bus", "tree", "man", "snow"]
            func entry(_ index: Int) -> String {
                """
                "\(index * 2)": {"filename": "00\(index).bmp", "caption": "a \(words[index])", \
                "negative_caption": "two \(words[(index + 1) % 6])"}
                """
            }
            try write("{\((0..<3).map(entry).joined(separator: ","))}", folder, "add_obj.json")
            try write("{\((2..<6).map(entry).joined(separator: ","))}", folder, "swap_att.json")
            let pairs = (0..<3).map {
                """
                {"id": \($0), "image_0": "00\($0)", "image_1": "00\($0 + 3).bmp", "caption_0": \
                "a \(words[$0])", "caption_1": "a \(words[$0 + 3])", "collapsed_tag": \
                "\($0 == 1 ? "Relation" : "Object")"}
                """
            }
            try write(pairs.joined(separator: "\n"), folder, "examples.jsonl")
            try await body(folder)
        }
    }

    private func write(_ text: String, _ folder: FilePath, _ name: String) throws {
        try text.write(
            toFile: folder.appending(name).string, atomically: true, encoding: .utf8)
    }

    /// Compares with a file of `Tests/Fixtures/snapshots`, as ``HelpTests`` does.
    private func expect(_ text: String, isRecordedAs name: String) throws {
        let path = Fixtures.path("snapshots/\(name)").string
        if ProcessInfo.processInfo.environment["ALBEF_RECORD_SNAPSHOTS"] != nil {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test("The text and the JSON of the results are as recorded", arguments: ["choice", "pairs"])
    func outcome(_ command: String) async throws {
        let files = command == "choice" ? ["add_obj.json", "swap_att.json"] : ["examples.jsonl"]
        try await withFolder { folder in
            let base = ["evaluate", command] + files + ["--images", "images"] + arguments
            let table = try await Command.run(base, folder: folder)
            #expect(table.status == 0, "\(table.errors)")
            try expect(table.output, isRecordedAs: "evaluate-\(command)-outcome.txt")
            let json = try await Command.run(base + ["--json"], folder: folder)
            #expect(json.status == 0)
            try expect(json.output, isRecordedAs: "evaluate-\(command)-outcome.json")
        }
    }

    @Test("The details have every score, and agree with the table")
    func details() async throws {
        try await withFolder { folder in
            let result = try await Command.run(
                [
                    "evaluate", "choice", "swap_att.json", "--images", "images", "--output",
                    "d.jsonl",
                ]
                    + ["--json"] + arguments, folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            let text = try String(
                contentsOfFile: folder.appending("d.jsonl").string, encoding: .utf8)
            let lines = try text.split(separator: "\n").map {
                try #require(
                    try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(lines.compactMap { $0["entry"] as? String } == ["4", "6", "8", "10"])
            var right = 0
            for line in lines {
                func score(_ side: String, _ name: String) throws -> Double {
                    let texts = try #require(line[side] as? [[String: Any]])
                    return try #require(texts.first?[name] as? Double)
                }
                let isRight =
                    try score("positives", "similarity") > score("negatives", "similarity")
                // So that the rounding of a processor does not change the record.
                for name in ["similarity", "fusion"] {
                    #expect(try abs(score("positives", name) - score("negatives", name)) > 1e-4)
                }
                #expect(line["towers_right"] as? Bool == isRight)
                #expect(
                    try line["fusion_right"] as? Bool
                        == (score("positives", "fusion") > score("negatives", "fusion")))
                right += isRight ? 1 : 0
            }
            let mean = try #require(try result.json()["mean_of_items"] as? [String: Any])
            let towers = try #require(mean["towers"] as? [String: Any])
            #expect(towers["percent"] as? Double == Double(right) * 25)
        }
    }

    @Test("Rejects missing images by name, or leaves them out and counts them")
    func missing() async throws {
        try await withFolder { folder in
            try FileManager.default.removeItem(
                atPath: folder.pushing("images/002.bmp").string)
            try Data([0x42]).write(to: URL(filePath: folder.pushing("images/003.bmp").string))
            let base =
                ["evaluate", "choice", "swap_att.json", "--images", "images"] + arguments
            let refused = try await Command.run(base, folder: folder)
            #expect(refused.status == 1 && refused.output.isEmpty)
            #expect(
                refused.errors.contains(
                    "Error: swap_att.json: 4: the image images/002.bmp does not exist; 1 of 4 items"
                        + " lack"))
            let skipped = try await Command.run(
                base + ["--skip-missing", "--json"], folder: folder)
            #expect(skipped.status == 0, "\(skipped.errors)")
            #expect(skipped.errors.contains("note: left out 1 items whose images are missing"))
            #expect(skipped.errors.contains("note: left out 1 items; 1 images cannot"))
            #expect(try skipped.json()["left_out"] as? Int == 2)
            let limited = try await Command.run(
                ["evaluate", "choice", "add_obj.json", "--images", "images", "--limit", "2"]
                    + ["--json"] + arguments, folder: folder)
            #expect(limited.status == 0, "\(limited.errors)")
            #expect(try limited.json()["images"] as? Int == 2)
            let pairs = try await Command.run(
                ["evaluate", "pairs", "examples.jsonl", "--images", "images", "--skip-missing"]
                    + ["--json"] + arguments, folder: folder)
            #expect(pairs.status == 0, "\(pairs.errors)")
            #expect(try pairs.json()["left_out"] as? Int == 2)
        }
    }

    @Test("Leaves out kinds, and measures a model with only two towers")
    func leftOut() async throws {
        try await withFolder { folder in
            try write("add_obj\n\nnothing\n", folder, "kinds.txt")
            try TinyModel(task: .alignment).write(to: folder.appending("clip"))
            let result = try await Command.run(
                ["evaluate", "choice", "add_obj.json", "swap_att.json", "--images", "images"]
                    + ["--leave-out", "kinds.txt", "--json", "--model", "clip", "--device", "cpu"],
                folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("left out 3 items whose kinds are in kinds.txt"))
            #expect(result.errors.contains("the towers alone are measured"))
            let json = try result.json()
            #expect(json["ranking"] == nil)
            let kinds = try #require(json["kinds"] as? [[String: Any]])
            #expect(kinds.count == 1 && kinds[0]["fusion"] == nil && kinds[0]["towers"] != nil)
        }
    }

    @Test("Reports an unwritable file of details before the work")
    func noPlace() async throws {
        try await withFolder { folder in
            for command in [["choice", "add_obj.json"], ["pairs", "examples.jsonl"]] {
                let result = try await Command.run(
                    ["evaluate"] + command + ["--images", "images", "--output", "no/d.jsonl"]
                        + arguments, folder: folder)
                #expect(result.status == 1 && result.output.isEmpty)
                #expect(result.errors.contains("no/d.jsonl"), "\(result.errors)")
            }
        }
    }

    @Test("Rejects a data set of captions, and names the command that reads it")
    func captions() async throws {
        try await withFolder { folder in
            try write(#"[{"image": "a.jpg", "caption": "a dog"}]"#, folder, "x.json")
            let result = try await Command.run(
                ["evaluate", "choice", "x.json"] + arguments, folder: folder)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(result.errors.contains("x.json: [0].positives: is missing; evaluate captions"))
            #expect(result.errors.contains("albef evaluate retrieval"))
        }
    }
}
