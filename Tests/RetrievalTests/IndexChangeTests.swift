import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Changes of single images", .oneModelAndTwo)
struct IndexChangeTests {
    private struct Gallery {
        let model: SearchModel
        let index: FilePath
        let paths: [FilePath]
        let locator = EntryLocator()

        func change(
            adding seeds: [Int] = [], as paths: [FilePath] = [], removing removed: [FilePath] = []
        ) throws -> Set<FilePath> {
            var change = IndexChange()
            change.removed = removed
            if !seeds.isEmpty {
                change.entries = zip(seeds, paths).map { seed, path in
                    IndexEntry(
                        path: path, size: seed, modified: 0,
                        sha256: String(format: "%064x", seed))
                }
                change.encoded = try model.encode(
                    pixels: try seeds.map {
                        try model.pixels(of: TinyImages.bitmap($0), named: "\($0)")
                    })
            }
            return try ForwardIndex.apply(
                change, to: index, model: model.signature, locator: locator)
        }

        func sizes() throws -> [FilePath: Int] {
            let forward = try ForwardIndex(index)
            let entries = try forward.ids.map { try forward.entry($0) }
            return Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0.size) })
        }
    }

    private func withGallery(_ body: (Gallery) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(6, to: folder.appending("photos"))
            let model = try TinyModel.search(in: folder)
            let index = folder.appending("index")
            _ = try await Indexer(model).update(index, with: folder.appending("photos"))
            try await body(Gallery(model: model, index: index, paths: paths))
        }
    }

    @Test func imagesAreAddedReplacedAndRemovedInOneCommit() async throws {
        try await withGallery { gallery in
            let before = try ForwardIndex(gallery.index)
            let removed = try gallery.change(
                adding: [900, 901], as: [gallery.paths[2], "/new/a.bmp"],
                removing: [gallery.paths[0], "/nowhere.bmp"])
            #expect(removed == [gallery.paths[0]])
            let after = try ForwardIndex(gallery.index)
            #expect(after.generation == before.generation + 1)
            let sizes = try gallery.sizes()
            #expect(sizes.count == 6)
            #expect(sizes[gallery.paths[2]] == 900 && sizes["/new/a.bmp"] == 901)
            #expect(sizes[gallery.paths[0]] == nil)
            // The snapshot of before has what it had.
            #expect(before.count == 6)
            #expect(try before.refreshed()?.generation == after.generation)
            #expect(try after.refreshed() == nil)
            #expect(try ForwardIndex.verify(gallery.index).isEmpty)
        }
    }

    @Test func manySmallCommitsDoNotLeaveManyFiles() async throws {
        try await withGallery { gallery in
            for seed in 0..<80 {
                _ = try gallery.change(adding: [1000 + seed], as: [FilePath("/new/\(seed).bmp")])
                if seed % 3 == 2 {
                    _ = try gallery.change(removing: [FilePath("/new/\(seed - 1).bmp")])
                }
                while try ForwardIndex.tidy(gallery.index) {}
            }
            let index = try ForwardIndex(gallery.index)
            #expect(index.statistics.segments < 20)
            let sizes = try gallery.sizes()
            #expect(sizes.count == 6 + 80 - 26)
            for seed in 0..<80 {
                #expect(
                    sizes[FilePath("/new/\(seed).bmp")]
                        == (seed % 3 == 1 && seed < 79 ? nil : 1000 + seed))
            }
        }
    }

    @Test func entriesAreFoundByKeyThroughCommitsAndCompaction() async throws {
        try await withGallery { gallery in
            func found(_ path: FilePath) throws -> FilePath? {
                let index = try ForwardIndex(gallery.index)
                return try gallery.locator.find(EntryKey(path), in: index).map {
                    try index.entry($0).path
                }
            }
            for path in gallery.paths { #expect(try found(path) == path) }
            _ = try gallery.change(
                adding: [7], as: [gallery.paths[1]], removing: [gallery.paths[4]])
            try ForwardIndex.compact(gallery.index)
            for path in gallery.paths {
                #expect(try found(path) == (path == gallery.paths[4] ? nil : path))
            }
            #expect(try found("/nowhere") == nil)
        }
    }

    @Test func keysAreTextAndBack() throws {
        let key = EntryKey("/photos/a.jpg")
        #expect(key.description.utf8.count == 32)
        #expect(EntryKey(hexadecimal: key.description) == key)
        #expect(EntryKey("/photos/b.jpg") != key)
        for text in [
            "", "00", key.description.uppercased() + "", String(repeating: "g", count: 32),
        ]
        where text != key.description {
            #expect(EntryKey(hexadecimal: text) == nil, "\(text)")
        }
    }

    @Test func queriesAnsweredTogetherGetWhatEachGetsAlone() async throws {
        try await withGallery { gallery in
            let searcher = try Searcher(gallery.model, ForwardIndex(gallery.index))
            var timed = SearchOptions(count: 6, candidates: 4)
            timed.timeBudget = .seconds(60)
            let requests: [(query: SearchQuery, options: SearchOptions)] = [
                (.text("two dogs"), SearchOptions(count: 6, candidates: 6)),
                (.text("?!"), SearchOptions()),
                (.text("a man with a red hat and a large bag"), SearchOptions(count: 3)),
                (.image(.file(gallery.paths[3])), SearchOptions(count: 2)),
                (.image(.file("/nowhere.bmp")), SearchOptions()),
                (.imageAndText(.file(gallery.paths[3]), "a dog"), SearchOptions(count: 4)),
                (.text("two dogs"), timed),
                (.text("two dogs"), SearchOptions(count: 5, candidates: 0)),
            ]
            let together = searcher.search(requests)
            #expect(together.count == requests.count)
            for (request, answer) in zip(requests, together) {
                do {
                    let alone = try searcher.search(request.query, request.options)
                    let answer = try answer.get()
                    #expect(answer.reranked == alone.reranked)
                    #expect(answer.results.map(\.path) == alone.results.map(\.path))
                    for (a, b) in zip(answer.results, alone.results) {
                        #expect(abs((a.matchLogit ?? 0) - (b.matchLogit ?? 0)) < 1e-4)
                        #expect(abs(a.similarity - b.similarity) < 1e-5)
                    }
                } catch {
                    #expect(throws: (any Error).self) { try answer.get() }
                }
            }
        }
    }
}
