import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import Testing

@Suite("An index to test against")
struct TinyIndexTests {
    @Test("The same images and the same model give the same answers")
    func repeats() async throws {
        func names() async throws -> [String] {
            try await withTinyIndex(images: 6) { searcher, _, _ in
                try ImageFinder(searcher: searcher).names("a dog in the snow", count: 4)
            }
        }
        let first = try await names()
        #expect(Set(first).count == 4)
        #expect(Set(first).isSubset(of: (0..<6).map { "00\($0).bmp" }))
        #expect(try await names() == first)
        func fingerprint(_ model: TinyModel) async throws -> String {
            try await withTinyIndex(images: 1, model: model) { searcher, _, _ in
                searcher.model.fingerprint
            }
        }
        #expect(try await fingerprint(TinyModel(seed: 2)) != fingerprint(TinyModel()))
    }

    @Test(
        "Every dialect searches, with and without matching",
        arguments: Dialect.allCases, [ALBEFConfiguration.Task.pretraining, .alignment])
    func dialects(_ dialect: Dialect, _ task: ALBEFConfiguration.Task) async throws {
        let model = TinyModel(dialect: dialect, task: task)
        try await withTinyIndex(images: 4, model: model) { searcher, _, _ in
            let results = try searcher.search("two dogs", count: 4)
            #expect(results.count == 4)
            #expect(results.allSatisfy { ($0.matchLogit != nil) == task.matches })
            #expect(results.allSatisfy { $0.similarity.isFinite })
        }
    }

    @Test("One model recalls, another re-ranks")
    func twoModels() async throws {
        try await withTinyIndex(images: 5, recall: .towers()) { searcher, index, folder in
            #expect(searcher.model.recall != nil)
            let results = try searcher.search("a cat on a table", count: 5)
            #expect(results.count == 5)
            #expect(results.allSatisfy { $0.matchLogit != nil })
            // The index takes what is added to its folder.
            try Data(TinyImages.bitmap(40, side: 13)).write(
                to: URL(filePath: folder.appending("new.bmp").string))
            let report = try await Indexer(searcher.model).update(index, with: folder)
            #expect(report.encoded == 1 && report.unchanged == 5 && report.failures.isEmpty)
        }
    }

    @Test("Many are in use at once, and nothing is left of them")
    func parallel() async throws {
        struct Stop: Error {}
        let folders = try await withThrowingTaskGroup(of: FilePath.self) { group in
            for count in 1...6 {
                group.addTask {
                    try await withTinyIndex(images: count) { searcher, index, folder in
                        let results = try searcher.search("a bus", count: 10)
                        #expect(results.count == count)
                        #expect(FileManager.default.fileExists(atPath: index.string))
                        return folder.removingLastComponent()
                    }
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(folders.count == 6)
        for folder in folders {
            #expect(!FileManager.default.fileExists(atPath: folder.string))
        }
        var failed: FilePath?
        await #expect(throws: Stop.self) {
            try await withTemporaryFolder { folder in
                failed = folder
                try TinyImages.write(2, to: folder)
                throw Stop()
            }
        }
        let folder = try #require(failed)
        #expect(!FileManager.default.fileExists(atPath: folder.string))
    }

    @Test("A folder without images is an error, not an empty index")
    func noImages() async throws {
        await #expect(throws: FolderError.self) {
            try await withTinyIndex(images: 0) { _, _, _ in }
        }
    }

    @Test("The caller's actor runs what it passes") @MainActor
    func isolation() async throws {
        var found: [String] = []
        try await withTinyIndex(images: 2) { searcher, _, _ in
            MainActor.assertIsolated()
            found = try ImageFinder(searcher: searcher).names("a bus", count: 2)
        }
        #expect(found.count == 2)
    }
}
