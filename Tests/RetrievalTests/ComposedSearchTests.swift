import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Queries of several parts", .oneModelAndTwo)
struct ComposedSearchTests {
    private struct Gallery {
        let model: SearchModel
        let index: ForwardIndex
        let searcher: Searcher
        let paths: [FilePath]

        func answer(_ query: SearchQuery, _ count: Int = 40) throws -> SearchAnswer {
            try searcher.search(query, SearchOptions(count: count, candidates: 40))
        }

        /// By path.
        func probabilities(_ text: String) throws -> [FilePath: Double] {
            let results = try answer(.text(text)).results
            return Dictionary(
                uniqueKeysWithValues: results.map { ($0.path, Double($0.matchProbability ?? .nan)) }
            )
        }
    }

    private func withGallery(
        _ budget: TokenBudget? = nil, _ body: (Gallery) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(40, to: folder.appending("photos"))
            let model = try TinyModel.search(in: folder)
            _ = try await Indexer(model, options: .init(budget: budget))
                .update(folder.appending("index"), with: folder.appending("photos"))
            let index = try ForwardIndex(folder.appending("index"))
            try body(
                Gallery(
                    model: model, index: index, searcher: Searcher(model, index), paths: paths))
        }
    }

    @Test(
        "What a text matches is less probable and further back without it",
        arguments: [nil, TokenBudget(count: 0)])
    func without(_ budget: TokenBudget?) async throws {
        try await withGallery(budget) { gallery in
            let dogs = try gallery.probabilities("two dogs")
            let (hat, bus) = (
                try gallery.probabilities("a hat"), try gallery.probabilities("a red bus")
            )
            var query = SearchQuery(text: "two dogs", without: ["a hat", "a red bus"])
            let answer = try gallery.answer(query)
            #expect(answer.reranked == 40 && answer.results.count == 40)
            for result in answer.results {
                let (dog, hat, bus) = (
                    dogs[result.path] ?? .nan, hat[result.path] ?? .nan, bus[result.path] ?? .nan
                )
                let expected = dog * (1 - hat) * (1 - bus)
                #expect(abs(Double(result.matchProbability ?? .nan) - expected) < 1e-4)
            }
            // What stands out most of all for a text is put back by it.
            let most = try #require(hat.max { $0.value < $1.value }?.key)
            func place(_ without: [String]) throws -> Int {
                var options = SearchOptions(count: 40, candidates: 40)
                options.ranking = .probability
                let query = SearchQuery(text: "two dogs", without: without)
                let results = try gallery.searcher.search(query, options).results
                return results.first { $0.path == most }?.rank ?? 0
            }
            let (before, after) = (try place([]), try place(["a hat"]))
            #expect(after >= before && after > 0)
            // Half of the probability of what is left out by itself.
            query = SearchQuery(text: "two dogs", without: ["two dogs"])
            let same = try gallery.answer(query).results
            #expect(same.allSatisfy { ($0.matchProbability ?? 1) <= 0.25001 })
        }
    }

    @Test("Without a sentence an image is searched for, and what matches is put back")
    func imageWithout() async throws {
        try await withGallery { gallery in
            let alone = try gallery.answer(.image(.file(gallery.paths[7])))
            let query = SearchQuery(images: [.file(gallery.paths[7])], without: ["a hat"])
            let answer = try gallery.answer(query)
            #expect(alone.reranked == 0 && answer.reranked == 40)
            #expect(answer.results.allSatisfy { $0.matchProbability == nil })
            #expect(Set(answer.results.map(\.path)) == Set(alone.results.map(\.path)))
            var options = SearchOptions(count: 40, candidates: 0)
            options.minimumProbability = 0.5
            #expect(try gallery.searcher.search(query, options).results.isEmpty)
        }
    }

    @Test("Several images are searched for by the mean of their features, by entries or files")
    func images() async throws {
        try await withGallery { gallery in
            let chosen = [3, 11, 30].map { gallery.paths[$0] }
            let byFile = try gallery.answer(SearchQuery(images: chosen.map { .file($0) }))
            let byEntry = try gallery.answer(
                SearchQuery(images: chosen.map { .entry(EntryKey($0)) }))
            #expect(byFile.results.map(\.path) == byEntry.results.map(\.path))
            let locator = EntryLocator()
            let rows = try chosen.map { path in
                let id = try #require(try locator.find(EntryKey(path), in: gallery.index))
                return try gallery.index.features([id])[0]
            }
            let mean = (rows[0] + rows[1] + rows[2]).normalized()
            let expected = try gallery.index.recall(mean, count: 40)
            for (result, candidate) in zip(byEntry.results, expected) {
                #expect(abs(result.similarity - candidate.similarity) < 1e-5)
            }
        }
    }

    @Test("An image that results must be unlike comes last, also after re-ranking")
    func unlike() async throws {
        try await withGallery { gallery in
            let first = try #require(gallery.answer(.text("two dogs")).results.first?.path)
            let query = SearchQuery(text: "two dogs", unlike: [.entry(EntryKey(first))])
            #expect(try gallery.answer(query).results.last?.path == first)
        }
    }

    @Test("What is to be left out is subtracted from what recall compares")
    func subtracts() async throws {
        try await withGallery { gallery in
            let chosen = [gallery.paths[3], gallery.paths[11]]
            let locator = EntryLocator()
            let rows = try chosen.map { path in
                let id = try #require(try locator.find(EntryKey(path), in: gallery.index))
                return try gallery.index.features([id])[0]
            }
            let query = SearchQuery(
                images: [.entry(EntryKey(chosen[0]))], unlike: [.entry(EntryKey(chosen[1]))])
            let answer = try gallery.answer(query)
            let expected = try gallery.index.recall(
                (rows[0] - rows[1] * 0.5).normalized(), count: 40)
            for (result, candidate) in zip(answer.results, expected) {
                #expect(abs(result.similarity - candidate.similarity) < 1e-5)
            }
        }
    }

    @Test("An emphasised word weighs more in recall and after it; a weight of 1 changes nothing")
    func emphasis() async throws {
        try await withGallery { gallery in
            let plain = try gallery.answer(.text("two dogs in a hat"))
            let same = try gallery.answer(
                SearchQuery(text: "two dogs in a hat", emphasis: ["hat": 1]))
            #expect(plain.results.map(\.path) == same.results.map(\.path))
            let word = try gallery.answer(.text("hat"), 40).results
            let near = Dictionary(uniqueKeysWithValues: word.map { ($0.path, $0.similarity) })
            /// How much nearer to the word the first half of an answer is than the second.
            func lean(_ weight: Double) throws -> Float {
                let query = SearchQuery(text: "two dogs in a hat", emphasis: ["hat": weight])
                let cosines = try gallery.answer(query).results.map { near[$0.path] ?? .nan }
                return cosines.prefix(20).reduce(0, +) - cosines.suffix(20).reduce(0, +)
            }
            #expect(try lean(0) <= lean(1) && lean(1) <= lean(4))
            #expect(try lean(0) < lean(4))
        }
    }

    @Test("A query that cannot be answered is refused with the name of the part")
    func refusals() async throws {
        try await withGallery { gallery in
            let image = QueryImage.file(gallery.paths[0])
            let wrong: [(SearchQuery, String)] = [
                (SearchQuery(without: ["a hat"]), "without: the query contains only exclusions"),
                (SearchQuery(unlike: [image]), "unlike: the query contains only exclusions"),
                (SearchQuery(), "the query is empty"),
                (
                    SearchQuery(text: "a", without: Array(repeating: "b", count: 5)),
                    "without: give at most 4"
                ),
                (SearchQuery(images: Array(repeating: image, count: 9)), "images: give at most 8"),
                (
                    SearchQuery(text: "a", unlike: Array(repeating: image, count: 9)),
                    "unlike: give at most 8"
                ),
                (
                    SearchQuery(text: "a dog", emphasis: ["dog": 5]),
                    "emphasis: 'dog' has the weight"
                ),
                (SearchQuery(text: "a dog", emphasis: ["dog": .nan]), "emphasis: 'dog'"),
                (
                    SearchQuery(images: [image], emphasis: ["dog": 2]),
                    "emphasis: the query has no text"
                ),
                (SearchQuery(text: "a dog", without: ["?!"]), "without: nothing is left"),
                (SearchQuery(text: "a dog", emphasis: ["?!": 2]), "emphasis: nothing is left"),
                (
                    SearchQuery(text: "a", images: [.entry(EntryKey("/nowhere"))]),
                    "not in this index"
                ),
            ]
            for (query, message) in wrong {
                let error = #expect(throws: QueryError.self) { try gallery.answer(query) }
                #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
            }
        }
    }

    @Test("Queries of all kinds that are answered together get what each gets alone")
    func together() async throws {
        try await withGallery { gallery in
            let (a, b) = (gallery.paths[3], gallery.paths[20])
            let queries = [
                SearchQuery(text: "two dogs", without: ["a hat"]), .text("two dogs"),
                SearchQuery(without: ["a hat"]), .image(.file(a)),
                SearchQuery(images: [.entry(EntryKey(a)), .file(b)], without: ["a man", "a bus"]),
                SearchQuery(text: "a man with a red hat", emphasis: ["red": 2]),
                SearchQuery(text: "two dogs", without: ["?!"]),
                SearchQuery(text: "a bus", unlike: [.entry(EntryKey(b))]),
                .imageAndText(.file(b), "a dog"),
            ]
            let options = SearchOptions(count: 12, candidates: 17)
            let together = gallery.searcher.search(queries.map { ($0, options) })
            for (query, answer) in zip(queries, together) {
                do {
                    let alone = try gallery.searcher.search(query, options)
                    let answer = try answer.get()
                    #expect(answer.reranked == alone.reranked)
                    #expect(answer.results.map(\.path) == alone.results.map(\.path))
                    for (a, b) in zip(answer.results, alone.results) {
                        #expect(abs((a.matchProbability ?? 0) - (b.matchProbability ?? 0)) < 1e-4)
                        #expect(abs(a.similarity - b.similarity) < 1e-5)
                    }
                } catch {
                    #expect(throws: QueryError.self) { try answer.get() }
                }
            }
        }
    }

    @Test("A time budget reads a batch with every text before the next")
    func budget() async throws {
        try await withGallery { gallery in
            var options = SearchOptions(count: 40, candidates: 40)
            options.timeBudget = .zero
            let query = SearchQuery(text: "two dogs", without: ["a hat", "a bus"])
            let answer = try gallery.searcher.search(query, options)
            #expect(answer.reranked > 0 && answer.results.count == 40)
            #expect(
                answer.results.prefix(answer.reranked).allSatisfy { $0.matchProbability != nil })
        }
    }

    @Test("Words to leave out that the model does not know are named")
    func unknownWords() async throws {
        try await withGallery { gallery in
            let answer = try gallery.answer(SearchQuery(text: "two dogs", without: ["牵绳"]))
            let plain = try gallery.answer(.text("two dogs"))
            #expect(plain.reading?.unknownWords == [])
            #expect(answer.reading?.unknownWords == ["牵绳"])
        }
    }

    @Test("Of results that look nearly the same the best placed stays and carries the others")
    func folds() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("photos")
            try TinyImages.write(12, to: photos)
            for number in 0..<3 {
                try FileManager.default.copyItem(
                    atPath: photos.appending("003.bmp").string,
                    toPath: photos.appending("copy\(number).bmp").string)
            }
            let model = try TinyModel.search(in: folder)
            _ = try await Indexer(model).update(folder.appending("index"), with: photos)
            let index = try ForwardIndex(folder.appending("index"))
            let searcher = try Searcher(model, index)
            var options = SearchOptions(count: 15, candidates: 15)
            let all = try searcher.search(.text("two dogs"), options).results
            #expect(all.allSatisfy { $0.duplicates == nil })
            options.foldsDuplicates = true
            let folded = try searcher.search(.text("two dogs"), options).results
            // Nothing is lost, nothing is there twice, and who stays was placed before the others.
            let paths = folded.flatMap { [$0.path] + ($0.duplicates ?? []).map(\.path) }
            #expect(Set(paths) == Set(all.map(\.path)) && paths.count == 15)
            let places = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0.rank) })
            #expect(folded.map(\.rank) == folded.map { places[$0.path] ?? 0 })
            #expect(folded.map(\.rank).isSorted)
            // Pages of them go on where the one before ended.
            options.count = 4
            var (pages, next): ([SearchResult], Int?) = ([], 0)
            while let offset = next {
                options.offset = offset
                options.candidates = 15
                let page = try searcher.search(.text("two dogs"), options)
                #expect(page.results.count <= 4 && page.total == all.count)
                pages += page.results
                next = page.next
            }
            let paged = pages.flatMap { [$0.path] + ($0.duplicates ?? []).map(\.path) }
            #expect(Set(paged) == Set(all.map(\.path)) && paged.count == 15)
            (options.count, options.offset) = (15, 0)
            for result in folded {
                let ranks = [result.path] + (result.duplicates ?? []).map(\.path)
                #expect(ranks.map { places[$0] ?? 0 }.isSorted)
            }
            let same = try #require(
                folded.first { result in
                    ([result.path] + (result.duplicates ?? []).map(\.path))
                        .contains { $0.lastComponent?.string == "003.bmp" }
                })
            #expect((same.duplicates ?? []).count >= 3)
            // No two that stay are as near as that.
            let locator = EntryLocator()
            let ids = try folded.compactMap { try locator.find(EntryKey($0.path), in: index) }
            let features = try index.features(ids)
            let cosines: [Float] = features.matmul(features.transposed()).values()
            for a in ids.indices {
                for b in ids.indices where a != b { #expect(cosines[a * ids.count + b] < 0.9501) }
            }
            options.count = 1
            #expect(try searcher.search(.text("two dogs"), options).results == [folded[0]])
        }
    }
}

extension [Int] {
    fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 <= $1 } }
}
