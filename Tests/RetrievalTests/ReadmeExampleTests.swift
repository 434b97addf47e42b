import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("README")
struct ReadmeExampleTests {
    /// The README's Swift example; the test below holds the two together.
    private func example(
        _ modelPath: FilePath, _ indexPath: FilePath, _ photos: FilePath, _ image: FilePath
    ) async throws -> Int {
        var lines = 0
        func print(_ items: Any...) { lines += 1 }
        // begin
        let model = try SearchModel(modelPath)
        let indexer = Indexer(model)
        let report = try await indexer.update(indexPath, with: photos)
        print("\(report.encoded) encoded, \(report.failures.count) skipped")

        let searcher = try Searcher(model, ForwardIndex(indexPath))
        for result in try searcher.search("a dog in the snow", count: 5) {
            print(result.rank, result.path, result.matchProbability ?? 0)
        }
        for score in try model.score(image, ["black top, white trousers"]) {
            print(score.text, score.matchProbability)
        }
        // end
        return lines
    }

    @Test func exampleCompilesAndRuns() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            let photos = folder.appending("photos")
            let paths = try TinyImages.write(6, to: photos)
            let lines = try await example(
                folder.appending("model"), folder.appending("index"), photos, paths[0])
            #expect(lines == 1 + 5 + 1)
        }
    }

    @Test func readmeShowsTheExample() throws {
        func lines(_ text: some StringProtocol) -> [String] {
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
        }
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let code = try #require(
            source.components(separatedBy: "// begin\n").dropFirst().first?
                .components(separatedBy: "// end").first)
        let readme = try String(
            contentsOfFile: Fixtures.repository.appending("README.md").string, encoding: .utf8)
        let shown = try #require(
            readme.components(separatedBy: "```swift\nimport Retrieval\n").dropFirst().first?
                .components(separatedBy: "```").first)
        let substituted = shown.replacingOccurrences(of: "\"model\"", with: "modelPath")
            .replacingOccurrences(of: "\"pictures.index\"", with: "indexPath")
            .replacingOccurrences(of: "\"Pictures\"", with: "photos")
            .replacingOccurrences(of: "\"street.jpg\"", with: "image")
        #expect(lines(substituted) == lines(code))
    }
}
