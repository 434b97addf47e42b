import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Two models, one index")
struct TwoModelsTests {
    private struct Gallery {
        let folder: FilePath
        let photos: [FilePath]
        /// Both, and each alone.
        let both, reader, recall: SearchModel

        var index: FilePath { folder.appending("index") }

        /// The cosine of a text and an image by the model that recalls, from its own encoders.
        func cosine(_ text: String, _ photo: FilePath) throws -> Float {
            let texts = try recall.encode(texts: [text])
            let images = try recall.encode(pixels: [recall.pixels(of: photo)])
            return Float(texts.features[0].matmul(images.features[0]).scalar())
        }
    }

    private static let query = "a red bus near the tree"

    private func withGallery(
        _ dialect: Dialect = .albef, budget: TokenBudget? = nil,
        _ body: (Gallery) async throws -> Void
    ) async throws {
        try await TinyModel.$hasRecall.withValue(true) {
            try await Fixtures.withTemporaryFolder { folder in
                let gallery = Gallery(
                    folder: folder,
                    photos: try TinyImages.write(12, to: folder.appending("photos")),
                    both: try TinyModel.search(in: folder, dialect: dialect),
                    reader: try SearchModel(folder.appending("model")),
                    recall: try SearchModel(folder.appending("recall")))
                _ = try await Indexer(gallery.both, options: .init(budget: budget))
                    .update(gallery.index, with: folder.appending("photos"))
                try await body(gallery)
            }
        }
    }

    @Test(
        "A search is the one model's cosines and the other's match logits",
        arguments: [TokenBudget(), TokenBudget(count: 0)])
    func byHand(_ budget: TokenBudget) async throws {
        try await withGallery(budget: budget) { gallery in
            let cosines = try gallery.photos.map { try gallery.cosine(Self.query, $0) }
            let order = cosines.indices.sorted { cosines[$0] > cosines[$1] }
            let found = try Searcher(gallery.both, ForwardIndex(gallery.index))
                .search(Self.query, count: 12, candidates: 5)
            #expect(found.count == 12)
            for result in found {
                let photo = try #require(gallery.photos.firstIndex(of: result.path))
                #expect(abs(result.similarity - cosines[photo]) < 1e-5)
                #expect(order[result.recallRank - 1] == photo)
                #expect((result.matchLogit != nil) == (result.recallRank <= 5))
            }
            // Half precision of the tokens shows in the logits.
            for result in found.prefix(5) {
                let alone = try gallery.reader.score(result.path, [Self.query])[0]
                #expect(abs(alone.matchLogit - (result.matchLogit ?? .nan)) < 2e-2)
                #expect(abs(alone.matchProbability - (result.matchProbability ?? .nan)) < 1e-2)
            }
            let logits = found.prefix(5).compactMap(\.matchLogit)
            #expect(logits.count == 5 && logits == logits.sorted(by: >))
        }
    }

    @Test("A score and an explanation have the cosine of one model and the match of the other")
    func pairs() async throws {
        try await withGallery { gallery in
            let photo = gallery.photos[3]
            let score = try gallery.both.score(photo, [Self.query])[0]
            let alone = try gallery.reader.score(photo, [Self.query])[0]
            #expect(abs(score.similarity - (try gallery.cosine(Self.query, photo))) < 1e-5)
            #expect(abs(score.similarity - alone.similarity) > 1e-4)
            #expect(abs(score.matchLogit - alone.matchLogit) < 1e-5)
            let explained = try gallery.both.explain(photo, Self.query)
            let known = try gallery.reader.explain(photo, Self.query)
            #expect(explained.words.map(\.text) == known.words.map(\.text))
            #expect(abs(explained.score.similarity - score.similarity) < 1e-6)
            for (word, other) in zip(explained.words, known.words) {
                #expect(abs(word.share - other.share) < 1e-4)
            }
        }
    }

    @Test(
        "Candidates are ordered without the cosine unless that is asked for",
        arguments: [(Dialect.albef, RankingScore.matching), (.lavis, .matching)])
    func ranking(_ dialect: Dialect, _ standard: RankingScore) async throws {
        try await withGallery(dialect) { gallery in
            #expect(gallery.both.ranking == standard)
            #expect(RankingScore.posterior.withoutSimilarity == .probability)
            let searcher = try Searcher(gallery.both, ForwardIndex(gallery.index))
            var options = SearchOptions(count: 12, candidates: 12)
            options.ranking = .posterior
            let found = try searcher.search(.text(Self.query), options).results
            // The temperature is the recall model's, which the other's differs from.
            let temperature = gallery.recall.model.temperatureValue
            let keys = found.map { result in
                let p = Double(result.matchProbability ?? .nan)
                return log(p / (1 - p)) + Double(result.similarity / temperature)
            }
            for (before, after) in zip(keys, keys.dropFirst()) { #expect(before > after - 1e-3) }
        }
    }

    @Test("Images and texts are compared by the model that recalls")
    func towers() async throws {
        try await withGallery { gallery in
            let searcher = try Searcher(gallery.both, ForwardIndex(gallery.index))
            let alike = try searcher.search(
                .image(.file(gallery.photos[4])), SearchOptions(count: 12))
            #expect(alike.results.first?.path == gallery.photos[4] && alike.reranked == 0)
            let images = try gallery.recall.encode(
                pixels: gallery.photos.map { try gallery.recall.pixels(of: $0) }
            ).features
            for result in alike.results {
                let photo = try #require(gallery.photos.firstIndex(of: result.path))
                let cosine = Float(images[4].matmul(images[photo]).scalar())
                #expect(abs(result.similarity - cosine) < 1e-5)
            }
            let pixels = try gallery.both.pixels(of: gallery.photos[4])
            #expect(pixels.reader.count == 3 * 48 * 48 && pixels.recall.count == 3 * 32 * 32)
            let mixed = try searcher.search(
                .imageAndText(.pixels(pixels), Self.query), SearchOptions(count: 3))
            #expect(mixed.reranked == 12)

            let labels = ["dog", "cat", "bus"]
            let both = try ZeroShotClassifier(labels: labels, model: gallery.both)(
                gallery.both.encode(pixels: [pixels]))
            let alone = try ZeroShotClassifier(labels: labels, model: gallery.recall)(
                gallery.recall.encode(pixels: [gallery.recall.pixels(of: gallery.photos[4])]))
            #expect(both[0].map(\.label) == alone[0].map(\.label))
            #expect(abs(both[0][0].logit - alone[0][0].logit) < 1e-4)
        }
    }

    @Test("Whoever brings other models learns which differs and what to name")
    func otherModels() async throws {
        try await withGallery { gallery in
            func models(_ model: String, _ recall: String?) throws -> SearchModel {
                try SearchModel(
                    gallery.folder.appending(model), recall: recall.map(gallery.folder.appending))
            }
            try TinyModel(seed: 2).write(to: gallery.folder.appending("model 2"))
            try TinyModel.towers(seed: 3).write(to: gallery.folder.appending("recall-2"))
            let forward = try ForwardIndex(gallery.index)
            let cases: [(model: String, recall: String?, message: String)] = [
                ("model", nil, "was made with two models: recall needs --recall recall, with"),
                ("recall", nil, "was made with two models: recall needs --recall recall, with"),
                ("model", "recall-2", "another model for recall, recall (weights"),
                ("model 2", "recall", "another model for re-ranking, model (weights"),
                ("model", "model", "another model for recall, recall (its images are 32 pixels"),
            ]
            for item in cases {
                let strangers = try models(item.model, item.recall)
                let error = #expect(throws: IndexError.self) { try Searcher(strangers, forward) }
                let text = try #require(error?.description)
                #expect(text.contains(item.message), "\(text)")
                let refused = await #expect(throws: IndexError.self) {
                    try await Indexer(strangers).update(
                        gallery.index, with: gallery.folder.appending("photos"))
                }
                #expect(refused == error)
            }
            // The name is for people: the same weights elsewhere are the same model.
            let moved = gallery.folder.appending("moved")
            try FileManager.default.moveItem(
                atPath: gallery.folder.appending("recall").string, toPath: moved.string)
            let again = try Indexer(models("model", "moved"))
            let report = try await again.update(
                gallery.index, with: gallery.folder.appending("photos"))
            #expect(report.unchanged == 12 && report.encoded == 0)

            let one = gallery.folder.appending("one")
            _ = try await Indexer(gallery.reader).update(
                one, with: gallery.folder.appending("photos"))
            let error = #expect(throws: IndexError.self) {
                try Searcher(gallery.both, ForwardIndex(one))
            }
            #expect(try #require(error?.description).contains("search it without --recall"))
        }
    }

    @Test("Models that cannot do their part are refused")
    func unfit() async throws {
        try await withGallery { gallery in
            let answers = gallery.folder.appending("answers")
            var configuration = gallery.reader.model.configuration
            configuration.task = .entailment
            try ModelDirectory.write(
                ParameterLayout(configuration).parameters.map {
                    Tensor.zeros($0.shape).entry(named: $0.name)
                }, configuration: configuration,
                vocabulary: Fixtures.tinyVocabulary, to: answers)
            let model = gallery.folder.appending("model")
            let recall = gallery.folder.appending("recall")
            let swapped = #expect(throws: ModelPairError.self) {
                try SearchModel(recall, recall: model)
            }
            #expect(try #require(swapped?.description).contains("name it with --recall"))
            let featureless = #expect(throws: ModelPairError.self) {
                try SearchModel(model, recall: answers)
            }
            #expect(try #require(featureless?.description).contains("'entailment'"))
            // Any aligned model recalls, also one that could re-rank.
            #expect(throws: Never.self) { try SearchModel(model, recall: model) }
        }
    }

    @Test("A query has to say something to both models")
    func queries() async throws {
        try await withGallery { gallery in
            // The reader's rules delete punctuation, the other's do not.
            #expect(throws: Never.self) { try gallery.recall.encode(texts: ["?!"]) }
            #expect(throws: QueryError.self) { try gallery.both.encode(texts: ["?!"]) }
            let long = Array(repeating: "dog", count: 22).joined(separator: " ")
            #expect(!gallery.reader.reading(of: long).isCut)
            #expect(gallery.both.reading(of: long).isCut)
            #expect(!gallery.both.reading(of: "a dog").isCut)
        }
    }

    @Test("The index says what it holds, and keeps it through every change")
    func statistics() async throws {
        try await withGallery { gallery in
            func check() throws {
                let statistics = try ForwardIndex(gallery.index).statistics
                #expect(statistics.model == gallery.reader.fingerprint)
                #expect(statistics.recall?.fingerprint == gallery.recall.fingerprint)
                #expect(statistics.recall?.name == "recall" && statistics.recall?.imageSize == 32)
                #expect(statistics.embeddingWidth == 12 && statistics.imageSize == 48)
                #expect(try ForwardIndex.verify(gallery.index).isEmpty)
            }
            try check()
            #expect(try ForwardIndex.remove(gallery.index, paths: [gallery.photos[0]]) == 1)
            try ForwardIndex.makeGraph(gallery.index)
            try ForwardIndex.compact(gallery.index)
            try check()
            #expect(try ForwardIndex(gallery.index).statistics.graphRows == 11)
        }
    }
}

@Suite("Manifests of one model and of two")
struct SignatureTests {
    private func text(_ signature: ModelSignature) async throws -> String {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            _ = try ForwardIndex.apply(
                IndexChange(), to: index, model: signature, locator: EntryLocator())
            return try String(
                contentsOfFile: index.appending("manifest.json").string, encoding: .utf8)
        }
    }

    private static let one = ModelSignature(
        fingerprint: "ab", imageSize: 48, embeddingWidth: 16, tokenCount: 10, tokenWidth: 24)

    @Test("That of one model is what it always was, byte for byte")
    func oneModel() async throws {
        #expect(
            try await text(Self.one) == """
                {
                  "content" : "images",
                  "format" : 2,
                  "generation" : 1,
                  "model" : {
                    "embedding_width" : 16,
                    "fingerprint" : "ab",
                    "image_size" : 48,
                    "token_count" : 10,
                    "token_width" : 24
                  },
                  "segments" : [

                  ],
                  "tokens" : {
                    "precision" : "float16"
                  }
                }
                """)
    }

    @Test("That of two has a format of its own, which a program that knows of one refuses")
    func twoModels() async throws {
        var signature = Self.one
        signature.recall = .init(name: "clip", fingerprint: "cd", imageSize: 32)
        let manifest = try await text(signature)
        #expect(manifest.contains("\"format\" : 3"))
        #expect(manifest.contains("\"name\" : \"clip\""))
    }

    @Test("A size that cannot be is refused by its name")
    func damaged() async throws {
        var signature = Self.one
        signature.recall = .init(name: "clip", fingerprint: "cd", imageSize: 32)
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            _ = try ForwardIndex.apply(
                IndexChange(), to: index, model: signature, locator: EntryLocator())
            let path = index.appending("manifest.json").string
            let text = try String(contentsOfFile: path, encoding: .utf8)
            for (found, put, part) in [
                ("\"image_size\" : 32", "\"image_size\" : 0", "model.recall.image_size"),
                ("\"image_size\" : 32", "\"image_size\" : null", "image_size"),
                ("\"name\" : \"clip\"", "\"name\" : 7", "name"),
            ] {
                try text.replacing(found, with: put).write(
                    toFile: path, atomically: true, encoding: .utf8)
                let error = #expect(throws: IndexError.self) { try ForwardIndex(index) }
                #expect(try #require(error?.description).contains(part))
            }
        }
    }
}
