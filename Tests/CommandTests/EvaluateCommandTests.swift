import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef evaluate, calibrate and ablate")
struct EvaluateCommandTests {
    @Test(
        "Rejects data without a caption, naming the file",
        arguments: [
            ("[]", "contains no images to evaluate; name data with images"),
            (
                #"[{"image": "a.bmp", "caption": []}]"#,
                "none of the 1 images has a caption, so there is nothing to evaluate; name data"
                    + " with captions"
            ),
        ])
    func nothing(text: String, message: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try text.write(
                toFile: folder.appending("x.json").string, atomically: true, encoding: .utf8)
            for command in [["evaluate", "retrieval"], ["calibrate"]] {
                let result = try await Command.run(
                    command + ["x.json", "--model", "model", "--device", "cpu"], folder: folder)
                #expect(result.status == 1 && result.output.isEmpty)
                #expect(result.errors.contains("Error: x.json: \(message)\n"), "\(result.errors)")
            }
        }
    }

    @Test(
        "Rejects numbers out of bounds with a usage error that names the bounds",
        arguments: [
            (["evaluate", "retrieval", "x.json", "--limit"], "from 0 to 1000000000"),
            (["evaluate", "retrieval", "x.json", "--rerank"], "from 0 to 1000000"),
            (["evaluate", "wardrobe", "--rerank"], "from 0 to 1000000"),
            (["evaluate", "choice", "x.json", "--limit"], "from 0 to 1000000000"),
            (["evaluate", "pairs", "x.json", "--limit"], "from 0 to 1000000000"),
            (["calibrate", "x.json", "--candidates"], "from 1 to 1000000"),
            (["calibrate", "x.json", "--limit"], "from 0 to 1000000000"),
            (["ablate", "wardrobe", "--output", "o", "--seeds"], "from 1 to 1000"),
            (["ablate", "wardrobe", "--output", "o", "--scenes"], "from 1 to 10000000"),
            (["ablate", "wardrobe", "--output", "o", "--threads"], "from 1 to 1024"),
        ])
    func bounds(arguments: [String], bounds: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let result = try await Command.run(
                arguments + ["9223372036854775807"], folder: folder)
            #expect(result.status == 64 && result.output.isEmpty)
            #expect(result.errors.contains(bounds), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.appending("o").string))
        }
    }

    @Test("Evaluates a calibration on two languages on each of them")
    func calibrate() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try await Command.run(
                ["wardrobe", "generate", "--count", "12", "--seed", "8", "--output", "s"],
                folder: folder)
            let calibrate = [
                "calibrate", "s/en.json", "s/zh.json", "--model", "wardrobe", "--dry-run",
                "--candidates", "6", "--device", "cpu",
            ]
            let json = try await Command.run(calibrate + ["--json"], folder: folder).json()
            let files = try #require(json["files"] as? [[String: Any]])
            #expect(files.map { $0["file"] as? String } == ["s/en.json", "s/zh.json"])
            let judged = files.compactMap { $0["judged"] as? Int }
            #expect(judged.reduce(0, +) == json["judged"] as? Int && judged.allSatisfy { $0 > 0 })
            for each in [json] + files {
                let after = try #require(each["after"] as? [String: Any])
                #expect(after["error"] is Double && after["loss"] is Double)
                #expect(each["missed"] is Double)
            }
            let least = try #require(json["least"] as? Double)
            #expect((0...0.5).contains(least))
            let text = try await Command.run(calibrate, folder: folder).output
            #expect(text.contains("report 'nothing here matches well' below"))
            #expect(text.contains("\ns/zh.json: \(judged[1])\n  the softmax as it is "))
        }
    }

    @Test("Shows the value that --rerank cannot read")
    func rerank() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for text in ["16,", "sixteen", "16;64"] {
                for command in [["evaluate", "retrieval", "x.json"], ["evaluate", "wardrobe"]] {
                    let result = try await Command.run(
                        command + ["--rerank=\(text)"], folder: folder)
                    #expect(result.status == 64, "\(text)")
                    #expect(result.errors.contains("not '\(text)'"), "\(result.errors)")
                }
            }
        }
    }
}
