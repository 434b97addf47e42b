import Foundation
import RetrievalTesting
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

        struct Photos: Decodable {
            struct Answer: Decodable {
                struct Result: Decodable {
                    let path: String
                    let rank: Int
                    let match_probability: Double?
                }

                let query: String
                let reranked: Int
                let results: [Result]
            }

            let folder: String
            let count: Int
            let answers: [Answer]
        }

        let scenes: Int
        let answers: [Answer]
        let photos: Photos

        init(_ result: Command.Result) throws {
            self = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
        }
    }

    @Test("Searches its own gallery and photographs, and writes one page")
    func demo() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let command = [
                "demo", "--scenes", "200", "--output", "demo", "--model", "wardrobe", "--json",
            ]
            let result = try await Command.run(command, folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            let output = try Output(result)
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

            #expect(output.photos.count == 40 && output.photos.answers.count == 6)
            for answer in output.photos.answers {
                #expect(answer.reranked == 40)
                #expect(answer.results.map(\.rank) == [1, 2, 3, 4, 5])
                #expect(Set(answer.results.map(\.path)).count == 5)
                for result in answer.results {
                    #expect(result.path.hasPrefix(output.photos.folder + "/"))
                    #expect(try #require(result.match_probability) >= 0)
                }
            }
            let page = try String(
                contentsOfFile: folder.appending("demo/index.html").string, encoding: .utf8)
            let figures = page.components(separatedBy: "<figure").count - 1
            #expect(figures == 120 + 6 * 2 * 5)
            #expect(!page.contains("src=\"http"))
            let copies = page.components(separatedBy: "src=\"thumbnails/").dropFirst()
                .compactMap { $0.split(separator: "\"").first }
            #expect(copies.count == 60)
            for copy in copies {
                #expect(Self.isThere(folder.appending("demo/thumbnails/\(copy)")))
            }

            // A second demonstration replaces the first, but no other files.
            #expect(try await Command.run(command, folder: folder).output == result.output)
            try FileManager.default.removeItem(
                atPath: folder.appending("demo/gallery/scenes.jsonl").string)
            let refused = try await Command.run(command, folder: folder)
            #expect(refused.status != 0 && refused.errors.contains("already exists"))
        }
    }

    @Test("Searches the user's folder with the user's queries, and with another model")
    func ownPhotos() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("mine")
            try FileManager.default.createDirectory(
                atPath: photos.appending("<b>").string, withIntermediateDirectories: true)
            for (name, seed) in [("one.bmp", 1), ("<b>/two.bmp", 2), ("three.bmp", 3)] {
                try Data(TinyImages.bitmap(seed)).write(
                    to: URL(filePath: photos.pushing(FilePath(name)).string))
            }
            try TinyModel().write(to: folder.appending("model"))
            let command = [
                "demo", "--scenes", "200", "--output", "demo", "--photos", "mine", "--query", "cat",
                "--query", "<i>狗</i>",
            ]
            let text = try await Command.run(command, folder: folder)
            #expect(text.status == 0, "\(text.errors)")
            #expect(text.output.contains("『cat』  (3 photographs)"))
            #expect(text.output.contains("『<i>狗</i>』"))
            #expect(text.output.contains("   <b>/two.bmp"))

            let result = try await Command.run(
                command + ["--model", "model", "--json"], folder: folder)
            #expect(result.status == 0, "\(result.errors)")
            let output = try Output(result)
            #expect(output.photos.answers.map(\.query) == ["cat", "<i>狗</i>"])
            #expect(output.photos.answers.map(\.results.count) == [3, 3])
            let page = try String(
                contentsOfFile: folder.appending("demo/index.html").string, encoding: .utf8)
            #expect(page.contains("alt=\"&lt;b&gt;/two.bmp\""))
            #expect(!page.contains("<i>狗") && !page.contains("<b>/"))
        }
    }

    @Test("Reports missing images before it draws anything", arguments: ["empty", "absent"])
    func noPhotos(_ name: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder.appending("empty").string, withIntermediateDirectories: false)
            let result = try await Command.run(["demo", "--photos", name], folder: folder)
            #expect(result.status != 0 && result.errors.contains(name))
            #expect(!Self.isThere(folder.appending("out")))
        }
    }

    private static func isThere(_ path: FilePath) -> Bool {
        FileManager.default.fileExists(atPath: path.string)
    }
}
