import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Indexes of texts", .oneModelAndTwo)
struct TextIndexTests {
    private let captions = [
        "a dog in the snow", "two dogs", "a cat on a sofa", "a red ball", "the sea at night",
    ]

    private func withFolder(
        _ body: (SearchModel, _ folder: FilePath, _ photos: [FilePath]) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = try TinyImages.write(3, to: folder.appending("photos"))
            try await body(TinyModel.search(in: folder), folder, photos)
        }
    }

    private func write(_ lines: [String], _ name: String, _ folder: FilePath) throws -> FilePath {
        let file = folder.appending(name)
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: file.string))
        return file
    }

    @Test func anImageFindsTextsAndRereadsThem() async throws {
        try await withFolder { model, folder, photos in
            let file = try write(captions, "captions.txt", folder)
            let path = folder.appending("index")
            let report = try await TextIndexer(model).update(path, with: TextListFile(file))
            #expect(report.encoded == 5)
            let searcher = try Searcher(model, ForwardIndex(path))
            let answer = try searcher.search(
                .image(.file(photos[1])), SearchOptions(count: 5, candidates: 3))
            #expect(answer.reranked == 3)
            #expect(Set(answer.results.compactMap(\.text)) == Set(captions))
            // Every score is that of the pair read alone.
            for score in try model.score(photos[1], answer.results.compactMap(\.text)) {
                let result = try #require(answer.results.first { $0.text == score.text })
                #expect(abs(result.similarity - score.similarity) < 1e-5)
                if let logit = result.matchLogit { #expect(abs(logit - score.matchLogit) < 1e-4) }
            }
            let logits = answer.results.compactMap(\.matchLogit)
            #expect(logits.count == 3 && logits == logits.sorted(by: >))
            #expect(Set(answer.results.prefix(3).map(\.recallRank)) == [1, 2, 3])
        }
    }

    @Test func aTextFindsTextsByTheTowersAlone() async throws {
        try await withFolder { model, folder, _ in
            let file = try write(captions, "captions.txt", folder)
            let path = folder.appending("index")
            _ = try await TextIndexer(model).update(path, with: TextListFile(file))
            let answer = try Searcher(model, ForwardIndex(path)).search(
                .text("two dogs"), SearchOptions(count: 2))
            #expect(answer.results.first?.text == "two dogs" && answer.reranked == 0)
            #expect(
                answer.results.first?.path
                    == file.absolute.removingLastComponent()
                    .appending("captions.txt#2"))
            #expect(abs((answer.results.first?.similarity ?? 0) - 1) < 1e-5)
        }
    }

    @Test func onlyWhatChangedIsEncodedAgain() async throws {
        try await withFolder { model, folder, _ in
            let path = folder.appending("index")
            let indexer = TextIndexer(model)
            _ = try await indexer.update(
                path, with: TextListFile(try write(captions, "captions.txt", folder)))
            _ = try await indexer.update(
                path, with: TextListFile(try write(["other", "!!"], "others.txt", folder)))
            let changed = ["a dog in the snow", "three dogs", "", "a red ball"]
            let report = try await indexer.update(
                path, with: TextListFile(try write(changed, "captions.txt", folder)))
            #expect(report.unchanged == 2 && report.encoded == 1 && report.removed == 2)
            let index = try ForwardIndex(path)
            let texts = try index.ids.map { try index.entry($0).metadata["text"] }
            #expect(
                Set(texts)
                    == Set(
                        ["a dog in the snow", "three dogs", "a red ball", "other"].map {
                            MetadataValue.text($0)
                        }))
        }
    }

    @Test func linesOfJSONCarryMetadata() async throws {
        try await withFolder { model, folder, _ in
            let file = try write(
                [#"{"text": "two dogs", "topic": "animals"}"#, #"{"text": "a red ball"}"#],
                "captions.jsonl", folder)
            let path = folder.appending("index")
            _ = try await TextIndexer(model).update(path, with: TextListFile(file))
            var options = SearchOptions()
            options.filters = [try #require(MetadataFilter("topic=animals"))]
            let answer = try Searcher(model, ForwardIndex(path)).search(.text("ball"), options)
            #expect(answer.results.map(\.text) == ["two dogs"])
            let broken = try write([#"{"text": "a"}"#, #"{"topic": 3}"#], "broken.jsonl", folder)
            let error = #expect(throws: MetadataError.self) { try TextListFile(broken) }
            #expect(
                error?.description.hasSuffix(
                    "broken.jsonl:2: 'text', the text of the line, is missing") == true)
        }
    }

    @Test func imagesAndTextsDoNotMix() async throws {
        try await withFolder { model, folder, _ in
            let (texts, images) = (folder.appending("texts"), folder.appending("images"))
            let list = try TextListFile(try write(captions, "captions.txt", folder))
            _ = try await TextIndexer(model).update(texts, with: list)
            _ = try await Indexer(model).update(images, with: folder.appending("photos"))
            await #expect(throws: IndexError.self) {
                try await TextIndexer(model).update(images, with: list)
            }
            await #expect(throws: IndexError.self) {
                try await Indexer(model).update(texts, with: folder.appending("photos"))
            }
            #expect(try ForwardIndex(texts).content == .texts)
            #expect(try ForwardIndex(images).content == .images)
        }
    }

    @Test func aTextThatOnlyMovedIsNotEncodedAgain() async throws {
        try await withFolder { model, folder, _ in
            let (path, indexer) = (folder.appending("index"), TextIndexer(model))
            let first = try TextListFile(write(captions, "captions.txt", folder))
            _ = try await indexer.update(path, with: first)
            let file = try write(["a cat"] + captions, "captions.txt", folder)
            let report = try await indexer.update(path, with: TextListFile(file))
            #expect(report.encoded == 1 && report.reused == 5 && report.removed == 0)
            let index = try ForwardIndex(path)
            let lines = try index.ids.map { id in
                let entry = try index.entry(id)
                guard case .text(let text)? = entry.metadata["text"] else { return "" }
                return "\(entry.path.lastComponent?.string ?? "") \(text)"
            }
            #expect(
                lines.sorted()
                    == (["a cat"] + captions).enumerated().map { "captions.txt#\($0 + 1) \($1)" })
            // What was copied is what encoding gives.
            let answer = try Searcher(model, index).search(.text("two dogs"), SearchOptions())
            #expect(answer.results.first?.text == "two dogs")
            #expect(abs((answer.results.first?.similarity ?? 0) - 1) < 1e-5)
        }
    }

    @Test func equalTextsAreEncodedOnce() async throws {
        try await withFolder { model, folder, _ in
            let (path, indexer) = (folder.appending("index"), TextIndexer(model))
            let lines = captions + captions + ["two dogs"]
            let first = try await indexer.update(
                path, with: TextListFile(try write(lines, "captions.txt", folder)))
            #expect(first.encoded == 5 && first.reused == 6)
            // Neither are those of another file.
            let other = try await indexer.update(
                path, with: TextListFile(try write(["the sea at night"], "other.txt", folder)))
            #expect(other.encoded == 0 && other.reused == 1)
            #expect(try ForwardIndex(path).count == 12)
        }
    }

    @Test func aFileWhoseNameBeginsLikeAnothersLinesKeepsItsEntries() async throws {
        try await withFolder { model, folder, _ in
            let (path, indexer) = (folder.appending("index"), TextIndexer(model))
            for name in ["captions.txt#old", "captions.txt#7", "captions.txt"] {
                let file = try TextListFile(write(["of \(name)", "dogs"], name, folder))
                _ = try await indexer.update(path, with: file)
            }
            let file = try TextListFile(write(["dogs"], "captions.txt", folder))
            #expect(try await indexer.update(path, with: file).removed == 1)
            #expect(try ForwardIndex(path).count == 5)
        }
    }

    @Test func aByteOrderMarkIsNotPartOfATextOrAnObject() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let text = try write(["\u{FEFF}a dog", "two dogs\r"], "texts.txt", folder)
            #expect(try TextListFile(text).lines.map(\.text) == ["a dog", "two dogs"])
            let object = try write(["\u{FEFF}{\"text\": \"a dog\"}"], "texts.jsonl", folder)
            #expect(try TextListFile(object).lines.map(\.text) == ["a dog"])
            let notes = try write(["\u{FEFF}{\"image\": \"/a.jpg\"}"], "notes.jsonl", folder)
            #expect(try MetadataFile(notes).images == ["/a.jpg": [:]])
        }
    }
}
