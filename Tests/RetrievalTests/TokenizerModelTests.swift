import ALBEF
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Models whose tokenizer is not WordPiece")
struct TokenizerModelTests {
    /// Writes a model of two towers over one of the small tokenizers, each in the form of its kind.
    private func write(_ kind: String, to folder: FilePath) throws {
        let source = folder.appending("tokenizer")
        let files = Fixtures.path("text/tokenizers")
        try FileManager.default.createDirectory(
            atPath: source.string, withIntermediateDirectories: true)
        let names: [(String, String)] =
            switch kind {
            case "clip": [("clip/vocab.json", "vocab.json"), ("clip/merges.txt", "merges.txt")]
            case "clip.json": [("clip.json", "tokenizer.json")]
            case "gemma.json": [("gemma.json", "tokenizer.json")]
            default: [("spiece.model", "spiece.model")]
            }
        for (from, to) in names {
            try FileManager.default.copyItem(
                atPath: files.pushing(FilePath(from)).string, toPath: source.appending(to).string)
        }
        let read = try Tokenizer.read(folder: source)
        let isCLIP = kind.hasPrefix("clip")
        var text = ALBEFConfiguration.Text(
            vocabularySize: read.tokenizer.count, width: 16, depth: 1, fusionLayer: 1, heads: 2,
            mlpWidth: 32, positions: 24, maximumTokens: 24)
        text.hasTokenTypes = false
        text.hasWordPieces = false
        text.normPlacement = .before
        text.attention = isCLIP ? .causal : .all
        text.pooling = isCLIP ? .endOfText : .last
        text.endToken = isCLIP ? read.framing.end.last : nil
        text.paddedLength = isCLIP ? nil : 24
        text.cleaning = kind == "gemma.json" ? .lowercase : nil
        let configuration = ALBEFConfiguration(
            dialect: isCLIP ? .clip : .siglip, task: .alignment,
            vision: .init(imageSize: 32, width: 16, depth: 1, heads: 2, mlpWidth: 32), text: text,
            embeddingWidth: 8)
        let model = try ALBEFModel(untrained: configuration, generator: Generator(seed: 3))
        try ModelDirectory.write(
            model.entries, configuration: configuration,
            tokenizer: try #require(TokenizerFiles(folder: source, isWordPiece: false)),
            to: folder.appending("model"))
    }

    @Test(
        "They index and search in the order of recall, and say how a query is read",
        arguments: ["clip", "clip.json", "gemma.json", "spiece.model"])
    func search(_ kind: String) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try write(kind, to: folder)
            let photos = folder.appending("photos")
            try TinyImages.write(6, to: photos)
            let model = try SearchModel(folder.appending("model"))
            #expect(!model.matches)
            _ = try await Indexer(model).update(folder.appending("index"), with: photos)
            let searcher = try Searcher(model, ForwardIndex(folder.appending("index")))
            let results = try searcher.search("A dog, two dogs!", count: 6)
            #expect(results.map(\.rank) == Array(1...6))
            #expect(results.allSatisfy { $0.matchProbability == nil })
            let features = try model.encode(texts: ["A dog, two dogs!"]).features
            for result in results {
                let image = try model.encode(pixels: [model.pixels(of: result.path)]).features
                let cosine = (features * image).sum().scalar()
                #expect(abs(cosine - Double(result.similarity)) < 1e-3)
            }
            let long = String(repeating: "dog ", count: 60)
            #expect(model.reading(of: long).isCut)
            #expect(!model.reading(of: "a dog").isCut)
            #expect(throws: QueryError.self) { try searcher.search("", count: 1) }
        }
    }

    @Test("Every cleaning that a model may name is one that texts can have")
    func cleanings() {
        let named = ALBEFConfiguration.Text.Cleaning.allCases.map(\.rawValue)
        #expect(named == TextCleaning.allCases.map(\.rawValue))
    }

    @Test("A tokenizer of another model is refused when the model is opened")
    func foreign() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try write("clip.json", to: folder)
            let file = folder.appending("model").appending("tokenizer.json").string
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.copyItem(
                atPath: Fixtures.path("text/tokenizers/gemma.json").string, toPath: file)
            let error = #expect(throws: (any Error).self) {
                try SearchModel(folder.appending("model"))
            }
            #expect(error.map { "\($0)" }?.contains("token") == true)
        }
    }
}
