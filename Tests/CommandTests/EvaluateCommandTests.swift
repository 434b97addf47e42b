import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef evaluate, calibrate and ablate")
struct EvaluateCommandTests {
    @Test(
        "Data without a caption is refused by its file",
        arguments: [
            ("[]", "there are no images to evaluate on"),
            (
                #"[{"image": "a.bmp", "caption": []}]"#,
                "none of the 1 images has a caption, so there is nothing to evaluate"
            ),
        ])
    func nothing(text: String, message: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel.write(to: folder.appending("model"))
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
        "Numbers out of their bounds are usage errors with the bounds",
        arguments: [
            (["evaluate", "retrieval", "x.json", "--limit"], "within 0...1000000000"),
            (["evaluate", "retrieval", "x.json", "--rerank"], "within 0...1000000"),
            (["evaluate", "wardrobe", "--rerank"], "within 0...1000000"),
            (["evaluate", "choice", "x.json", "--limit"], "from 0 to 1000000000"),
            (["evaluate", "pairs", "x.json", "--limit"], "from 0 to 1000000000"),
            (["calibrate", "x.json", "--candidates"], "within 1...1000000"),
            (["calibrate", "x.json", "--limit"], "within 0...1000000000"),
            (["ablate", "wardrobe", "--output", "o", "--seeds"], "within 1...1000"),
            (["ablate", "wardrobe", "--output", "o", "--scenes"], "within 1...10000000"),
            (["ablate", "wardrobe", "--output", "o", "--threads"], "within 1...1024"),
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

    @Test("What --rerank cannot read is shown")
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
