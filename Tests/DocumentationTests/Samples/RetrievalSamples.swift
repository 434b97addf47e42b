import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Samples of Retrieval")
struct RetrievalSamples: SampleSuite {
    let printed = Printed()

    /// Runs `body` with a folder, a model of the smallest size, and the six images in the folder.
    private func withImages(
        _ body: (FilePath, SearchModel, [FilePath]) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            let images = try TinyImages.write(6, to: folder.appending("images"))
            try await body(folder, SearchModel(folder.appending("model")), images)
        }
    }

    @Test func searching() async throws {
        try await withImages { folder, _, images in
            let (directory, index) = (folder.appending("model"), folder.appending("index"))
            let (pictures, street) = (folder.appending("images"), images[0])
            // sample: search-a-folder
            // shown: directory = "model"
            // shown: index = "pictures.index"
            // shown: pictures = "Pictures"
            // shown: street = "street.jpg"
            let model = try SearchModel(directory)
            let indexer = Indexer(model)
            let report = try await indexer.update(index, with: pictures)
            print("\(report.encoded) encoded, \(report.failures.count) skipped")

            let searcher = try Searcher(model, ForwardIndex(index))
            for result in try searcher.search("a dog in the snow", count: 5) {
                print(result.rank, result.path, result.matchProbability ?? 0)
            }
            for score in try model.score(street, ["black top, white trousers"]) {
                print(score.text, score.matchProbability)
            }
            // end
            #expect(printed.lines.count == 1 + 5 + 1)
            #expect(printed.lines.first == "6 encoded, 0 skipped")
        }
    }

    @Test func parts() async throws {
        try await withImages { folder, model, _ in
            _ = try await Indexer(model).update(
                folder.appending("index"), with: folder.appending("images"))
            let searcher = try Searcher(model, ForwardIndex(folder.appending("index")))
            let least = "8"
            // sample: ask-in-parts
            // shown: least = "1024"
            let query = QueryTerms(#"dog^2 beach -leash -"red ball""#).query()
            var options = SearchOptions(count: 20)
            options.filters = [MetadataFilter("width", .atLeast, least)]
            options.foldsDuplicates = true

            let answer = try searcher.search(query, options)
            print("\(answer.total) images, \(answer.reranked) of them re-ranked")
            for result in answer.results {
                print(result.rank, result.recallRank, result.path)
            }
            // end
            #expect(printed.lines.first == "6 images, 6 of them re-ranked")
        }
    }

    @Test func explaining() async throws {
        try await withImages { folder, model, images in
            let street = images[0]
            // sample: explain-a-match
            // shown: street = "street.jpg"
            let found = try model.explain(street, "black top, white trousers")
            print(found.score.matchProbability)
            for word in found.words { print(word.text, word.share) }
            let heat = try HeatMapRenderer().png(found.sentence, on: ImageLoader().load(street))
            // end
            #expect(printed.lines.count == 1 + 4)
            #expect(heat.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        }
    }

    @Test func classifying() async throws {
        try await withImages { _, model, images in
            let street = images[0]
            // sample: classify-an-image
            // shown: street = "street.jpg"
            let classifier = try ZeroShotClassifier(labels: ["dog", "cat"], model: model)
            let images = try model.encode(pixels: [model.pixels(of: street)])
            for score in try classifier(images)[0] {
                print(score.label, score.probability)
            }
            // end
            #expect(printed.lines.count == 2)
        }
    }

    @Test func probing() async throws {
        try await withImages { folder, model, _ in
            let flowers = folder.appending("flowers")
            for label in ["rose", "tulip"] { try TinyImages.write(3, to: flowers.appending(label)) }
            // sample: probe-features
            // shown: flowers = "flowers"
            let dataset = LabelledDataset(try FolderScan(flowers))
            let data = try await LabelledFeatures(
                encoding: dataset, labels: Set(dataset.images.map(\.label)).sorted(),
                by: FeatureExtractor(model, kind: .image))
            let fit = try LinearProbe.fit(data)
            print(fit.probe.labels, fit.trials.count)
            // end
            #expect(printed.lines.first?.hasPrefix("[\"rose\", \"tulip\"] ") == true)
        }
    }

    @Test func texts() async throws {
        try await withImages { folder, model, images in
            let (file, index, street) = (
                folder.appending("captions.txt"), folder.appending("texts"), images[0]
            )
            try "a red cat\ntwo dogs\na bus near a tree\n".write(
                toFile: file.string, atomically: true, encoding: .utf8)
            // sample: find-texts-for-an-image
            // shown: file = "captions.txt"
            // shown: index = "captions.index"
            // shown: street = "street.jpg"
            _ = try await TextIndexer(model).update(index, with: TextListFile(file))
            let searcher = try Searcher(model, ForwardIndex(index))
            let answer = try searcher.search(.image(.file(street)), SearchOptions(count: 3))
            for result in answer.results {
                print(result.rank, result.text ?? "", result.matchProbability ?? 0)
            }
            // end
            #expect(printed.lines.count == 3)
        }
    }

    @Test func following() async throws {
        try await withImages { folder, model, _ in
            let (index, pictures) = (folder.appending("index"), folder.appending("images"))
            let task = Task {
                // sample: follow-a-folder
                // shown: index = "pictures.index"
                // shown: pictures = "Pictures"
                let indexer = Indexer(model)
                try await indexer.follow(index, with: pictures) { event in
                    switch event {
                    case .updated(let report, _): print("\(report.changed) changed")
                    case .hindered(let error): print("tries again after: \(error)")
                    }
                }
                // end
            }
            let hasBegun = try await eventually { !printed.lines.isEmpty }
            task.cancel()
            _ = await task.result
            #expect(hasBegun && printed.lines.first == "6 changed")
        }
    }
}
