import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("What a search says of its best guesses", .oneModelAndTwo)
struct MatchesWellTests {
    /// Searches ten images, or three texts, with a model of this calibration.
    private func withSearcher(
        _ calibration: MatchCalibration?, ofTexts: Bool = false, learned words: [String]? = nil,
        _ body: (Searcher, FilePath) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try TinyModel.search(in: folder)
            if let calibration {
                try ModelDirectory.open(folder.appending("model")).write(calibration)
            }
            if let words {
                try ModelDirectory.open(folder.appending("model")).write(LearnedWords(words))
            }
            let model = try TinyModel.opened(in: folder)
            let photos = folder.appending("photos")
            try TinyImages.write(10, to: photos)
            let index = folder.appending("index")
            if ofTexts {
                let file = folder.appending("texts.txt")
                try Data("a dog\na cat\na bus\n".utf8).write(to: URL(filePath: file.string))
                _ = try await TextIndexer(model).update(index, with: TextListFile(file))
            } else {
                _ = try await Indexer(model).update(index, with: photos)
            }
            try body(Searcher(model, ForwardIndex(index)), photos.appending("003.bmp"))
        }
    }

    /// All candidates are as improbable, or as probable, as can be.
    private static let improbable = MatchCalibration(temperature: 1, bias: -50, least: 0.2)
    private static let probable = MatchCalibration(temperature: 1, bias: 50, least: 0.2)

    @Test("The calibration decides where a sentence looks for images")
    func calibrated() async throws {
        for (calibration, expected) in [
            (Self.improbable, false), (Self.probable, true),
            (MatchCalibration(temperature: 1, bias: -50), nil), (nil, nil),
        ] as [(MatchCalibration?, Bool?)] {
            try await withSearcher(calibration) { searcher, image in
                func answer(_ query: SearchQuery, _ candidates: Int = 5) throws -> SearchAnswer {
                    try searcher.search(query, SearchOptions(count: 10, candidates: candidates))
                }
                let found = try answer(.text("a red dog"))
                #expect(found.matchesWell == expected)
                #expect(found.results.count == 10)
                #expect(found.reading?.unknownWords == [])
                // What was not measured is not claimed.
                #expect(try answer(.text("a red dog"), 0).matchesWell == nil)
                #expect(try answer(.image(.file(image))).matchesWell == nil)
                #expect(try answer(.imageAndText(.file(image), "a dog")).matchesWell == nil)
            }
        }
    }

    @Test("It is the best candidate that counts, whichever is shown")
    func best() async throws {
        // The middle of what five candidates reach, found without a calibration.
        var best: Float = 0
        try await withSearcher(nil) { searcher, _ in
            let results = try searcher.search("a red dog", count: 5, candidates: 5)
            best = try #require(results.compactMap(\.matchProbability).max())
        }
        for (least, expected) in [(Double(best) - 1e-4, true), (Double(best) + 1e-4, false)] {
            try await withSearcher(MatchCalibration(least: least)) { searcher, _ in
                let options = SearchOptions(count: 1, candidates: 5)
                let answer = try searcher.search(.text("a red dog"), options)
                #expect(answer.matchesWell == expected)
            }
        }
    }

    @Test("An image that looks for texts was not measured")
    func texts() async throws {
        try await withSearcher(Self.improbable, ofTexts: true) { searcher, image in
            let found = try searcher.search(.image(.file(image)), SearchOptions(count: 3))
            #expect(found.reranked == 3 && found.matchesWell == nil && found.reading == nil)
        }
    }

    @Test(
        "Words that the vocabulary cannot spell are named, and nothing matches the whole sentence",
        arguments: [
            ("a dog", [], nil), ("黑色上衣", ["黑色上衣"], false),
            ("a red dog 狗", ["狗"], false), ("a straße 狗, 猫", ["straße", "狗", "猫"], false),
            ("狗 dog 狗", ["狗"], false), ("a dog — a cat 🐶", [], nil), ("[UNK] dog", ["unk"], false),
            ("é", [], nil), ("a dog, qwxz", ["qwxz"], false), ("xy 123 dog", [], nil),
        ] as [(String, [String], Bool?)])
    func unknown(text: String, words: [String], matchesWell: Bool?) async throws {
        try await withSearcher(nil) { searcher, _ in
            let answer = try searcher.search(.text(text), SearchOptions(count: 3))
            #expect(answer.reading?.unknownWords == words)
            #expect(answer.matchesWell == matchesWell)
            #expect(answer.results.count == 3)
        }
    }

    @Test(
        "Words that the model never learned are named, though the vocabulary spells them",
        arguments: [
            ("a dog", []), ("a red dog", ["red"]), ("a RED cat", ["red", "cat"]),
            ("2 dog", []), ("a dog 狗", ["狗"]), ("the dog, x", ["the"]),
        ] as [(String, [String])])
    func unlearned(text: String, words: [String]) async throws {
        try await withSearcher(Self.probable, learned: ["a", "dog"]) { searcher, _ in
            let answer = try searcher.search(.text(text), SearchOptions(count: 3))
            #expect(answer.reading?.unknownWords == words)
            #expect(answer.matchesWell == words.isEmpty)
            #expect(answer.results.count == 3)
        }
    }

    @Test("Unknown words outweigh what the calibration says")
    func both() async throws {
        try await withSearcher(Self.probable) { searcher, _ in
            let answer = try searcher.search(.text("黑色上衣"), SearchOptions(count: 3))
            #expect(answer.matchesWell == false && answer.reading?.isUnknown == true)
        }
    }
}
