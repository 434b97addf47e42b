import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef demo")
struct DemoCommandTests {
    private struct Output: Decodable {
        struct Answer: Decodable {
            let query: String
            let right_in_gallery: Int
            let top20_recall, top20_reranked: [String: Int]
        }

        let scenes: Int
        let answers: [Answer]
    }

    @Test("Asks three questions of a gallery of its own and writes one page")
    func demo() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let command = ["demo", "--scenes", "200", "--output", "demo", "--json"]
            let result = try await Command.run(command, folder: folder)
            #expect(result.status == 0)
            let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
            #expect(output.scenes == 200)
            #expect(
                output.answers.map(\.query) == [
                    "黑色上衣白色裤子", "white top and black trousers", "yellow toy duck",
                ])
            for answer in output.answers {
                #expect(answer.top20_recall.values.reduce(0, +) == 20)
                #expect(answer.top20_reranked.values.reduce(0, +) == 20)
            }
            #expect(output.answers[0].right_in_gallery >= 22)
            let page = try String(
                contentsOfFile: folder.appending("demo/index.html").string, encoding: .utf8)
            let figures = page.components(separatedBy: "<figure").count - 1
            #expect(figures == 120)
            #expect(!page.contains("src=\"http"))

            // A second demonstration replaces the first; what is not one stays.
            #expect(try await Command.run(command, folder: folder).output == result.output)
            try FileManager.default.removeItem(
                atPath: folder.appending("demo/gallery/scenes.jsonl").string)
            let refused = try await Command.run(command, folder: folder)
            #expect(refused.status != 0 && refused.errors.contains("is there already"))
        }
    }
}
