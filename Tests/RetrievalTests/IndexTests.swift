import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Forward index", .oneModelAndTwo)
struct IndexTests {
    /// A model, a folder of images and an index that does not exist yet.
    private func withGallery(
        _ count: Int,
        _ body: (SearchModel, _ photos: FilePath, _ index: FilePath) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyImages.write(count, to: folder.appending("photos"))
            try await body(
                TinyModel.search(in: folder), folder.appending("photos"),
                folder.appending("index"))
        }
    }

    @Test func encodesOnceAndThenOnlyWhatChanged() async throws {
        try await withGallery(7) { model, photos, index in
            let indexer = Indexer(model, options: .init(batchSize: 2, commitInterval: 3))
            let first = try await indexer.update(index, with: photos)
            #expect(first.encoded == 7 && first.unchanged == 0 && first.failures.isEmpty)
            let second = try await indexer.update(index, with: photos)
            #expect(second.encoded == 0 && second.unchanged == 7)

            // One changes, one goes, one is renamed, one comes, one is rubbish.
            try Data(TinyImages.bitmap(99)).write(
                to: URL(filePath: photos.appending("000.bmp").string))
            try FileManager.default.removeItem(atPath: photos.appending("001.bmp").string)
            try FileManager.default.moveItem(
                atPath: photos.appending("002.bmp").string,
                toPath: photos.appending("renamed.bmp").string)
            try Data(TinyImages.bitmap(50)).write(
                to: URL(filePath: photos.appending("new.bmp").string))
            try Data("no image".utf8).write(to: URL(filePath: photos.appending("bad.jpg").string))
            let third = try await indexer.update(index, with: photos)
            #expect(third.encoded == 2)
            #expect(third.reused == 1)
            #expect(third.removed == 2)
            #expect(third.unchanged == 4)
            #expect(third.failures.map { $0.path.lastComponent?.string } == ["bad.jpg"])

            let forward = try ForwardIndex(index)
            #expect(forward.count == 7)
            #expect(
                Set(try forward.ids.map { try forward.entry($0).path.lastComponent?.string })
                    == [
                        "000.bmp", "003.bmp", "004.bmp", "005.bmp", "006.bmp", "renamed.bmp",
                        "new.bmp",
                    ])
            // What was copied for the renamed file is what encoding it gives.
            let fresh = index.removingLastComponent().appending("fresh")
            _ = try await indexer.update(fresh, with: photos)
            let query = "a red bus near the tree"
            let answers = try Searcher(model, forward).search(query)
            let expected = try Searcher(model, ForwardIndex(fresh)).search(query)
            #expect(answers.map(\.path) == expected.map(\.path))
            #expect(answers.map(\.recallRank) == expected.map(\.recallRank))
        }
    }

    @Test func recallIsExactAndRerankingReordersItsCandidates() async throws {
        try await withGallery(23) { model, photos, index in
            _ = try await Indexer(model, options: .init(batchSize: 5, commitInterval: 6))
                .update(index, with: photos)
            let searcher = try Searcher(model, ForwardIndex(index))
            let query = "two dogs playing in snow"
            let recalled = try searcher.search(query, count: 23, candidates: 0)
            #expect(recalled.map(\.rank) == Array(1...23))
            #expect(recalled.map(\.recallRank) == Array(1...23))
            #expect(
                zip(recalled, recalled.dropFirst()).allSatisfy { $0.similarity >= $1.similarity })
            #expect(recalled.allSatisfy { $0.matchLogit == nil && $0.matchProbability == nil })

            let ranked = try searcher.search(query, count: 23, candidates: 8)
            #expect(Set(ranked.prefix(8).map(\.path)) == Set(recalled.prefix(8).map(\.path)))
            #expect(ranked.dropFirst(8).map(\.path) == recalled.dropFirst(8).map(\.path))
            let logits = ranked.prefix(8).compactMap(\.matchLogit)
            #expect(logits.count == 8 && logits == logits.sorted(by: >))

            // The index keeps half precision, so scores agree to that.
            for result in ranked.prefix(8) {
                let score = try #require(try model.score(result.path, [query]).first)
                #expect(abs(score.similarity - result.similarity) < 1e-5)
                #expect(abs(score.matchLogit - (result.matchLogit ?? .infinity)) < 2e-2)
            }
        }
    }

    @Test func refusesWhatIsNotItsOwn() async throws {
        try await withGallery(2) { model, photos, index in
            #expect(throws: IndexError.self) { try ForwardIndex(index) }
            // A folder that holds something else is left alone.
            try FileManager.default.createDirectory(
                atPath: index.string, withIntermediateDirectories: true)
            let stranger = index.appending("thesis.txt")
            try Data("important".utf8).write(to: URL(filePath: stranger.string))
            await #expect(throws: IndexError.self) {
                try await Indexer(model).update(index, with: photos)
            }
            #expect(FileManager.default.fileExists(atPath: stranger.string))
            try FileManager.default.removeItem(atPath: stranger.string)
            _ = try await Indexer(model).update(index, with: photos)

            let other = index.removingLastComponent().appending("other")
            try TinyModel(seed: 2).write(to: other)
            let stranger2 = try SearchModel(
                other,
                recall: TinyModel.hasRecall
                    ? index.removingLastComponent().appending("recall") : nil)
            let error = #expect(throws: IndexError.self) {
                try Searcher(stranger2, ForwardIndex(index))
            }
            #expect(try #require(error?.description).contains("another model"))
            await #expect(throws: IndexError.self) {
                try await Indexer(stranger2).update(index, with: photos)
            }
        }
    }

    @Test func damageIsNoticedAndNamed() async throws {
        try await withGallery(3) { model, photos, index in
            _ = try await Indexer(model).update(index, with: photos)
            let segments = index.appending("segments")
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: segments.string).first)
            let file = segments.appending(name)
            let whole = try Data(contentsOf: URL(filePath: file.string))
            try whole.dropLast(10).write(to: URL(filePath: file.string))
            let cut = #expect(throws: (any Error).self) { try ForwardIndex(index) }
            #expect(try "\(#require(cut))".contains(name))
            try whole.write(to: URL(filePath: file.string))
            #expect(try ForwardIndex(index).count == 3)

            let manifest = index.appending("manifest.json")
            let text = try String(contentsOfFile: manifest.string, encoding: .utf8)
            try text.replacing(#/"format" : [23]/#, with: "\"format\" : 9")
                .write(toFile: manifest.string, atomically: true, encoding: .utf8)
            let newer = #expect(throws: IndexError.self) { try ForwardIndex(index) }
            #expect(try #require(newer?.description).contains("format 9"))
            try "{ half".write(toFile: manifest.string, atomically: true, encoding: .utf8)
            let torn = #expect(throws: IndexError.self) { try ForwardIndex(index) }
            #expect(try #require(torn?.description).contains("manifest.json"))
        }
    }

    @Test func whatAKilledWriterLeftIsIgnoredAndRemoved() async throws {
        try await withGallery(3) { model, photos, index in
            _ = try await Indexer(model).update(index, with: photos)
            let stray = index.appending("segments").appending("00000099.safetensors")
            let torn = index.appending("segments").appending(".00000100.safetensors.x.tmp")
            for path in [stray, torn] { try Data([1, 2, 3]).write(to: URL(filePath: path.string)) }
            #expect(try ForwardIndex(index).count == 3)
            _ = try await Indexer(model).update(index, with: photos)
            #expect(!FileManager.default.fileExists(atPath: stray.string))
            #expect(!FileManager.default.fileExists(atPath: torn.string))
            #expect(try ForwardIndex(index).count == 3)
        }
    }

    @Test func aSnapshotKeepsWhatItSaw() async throws {
        try await withGallery(4) { model, photos, index in
            _ = try await Indexer(model).update(index, with: photos)
            let snapshot = try ForwardIndex(index)
            try FileManager.default.removeItem(atPath: photos.appending("000.bmp").string)
            _ = try await Indexer(model).update(index, with: photos)
            #expect(snapshot.count == 4)
            #expect(try ForwardIndex(index).count == 3)
            #expect(try Searcher(model, snapshot).search("train").count == 4)
        }
    }

    @Test func cancellingKeepsWhatWasEncoded() async throws {
        try await withGallery(40) { model, photos, index in
            let indexer = Indexer(model, options: .init(batchSize: 1, commitInterval: 4))
            let task = Task {
                try await indexer.update(index, with: photos) { progress in
                    if progress.done == 10 { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            let report = try await task.value
            #expect(report.wasCancelled)
            #expect(try ForwardIndex(index).count == 10)
            let rest = try await indexer.update(index, with: photos)
            #expect(rest.unchanged == 10 && rest.encoded == 30)
        }
    }

    @Test func namesThatAreNoUTF8AreIndexedByTheirBytes() async throws {
        try await withGallery(1) { model, photos, index in
            let bytes: [CChar] = [CChar(bitPattern: 0xFF), 0x61, 0x2E, 0x62, 0x6D, 0x70, 0]
            let name = bytes.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.flatMap { FilePath.Component(platformString: $0) }
            }
            let path = photos.appending(try #require(name))
            do {
                let file = try FileDescriptor.open(
                    path, .writeOnly, options: .create, permissions: .ownerReadWrite)
                try file.closeAfter { _ = try file.writeAll(TinyImages.bitmap(5)) }
            } catch { return }  // This file system allows no such names.
            let report = try await Indexer(model).update(index, with: photos)
            #expect(report.encoded == 2 && report.failures.isEmpty)
            let found = try Searcher(model, ForwardIndex(index)).search("train")
            #expect(found.contains { $0.path == path })
            #expect(try await Indexer(model).update(index, with: photos).unchanged == 2)
        }
    }

    @Test func emptyAndMissingFoldersAreErrors() async throws {
        try await withGallery(1) { model, photos, index in
            for folder in ["empty", "missing"] {
                let path = index.removingLastComponent().appending(folder)
                if folder == "empty" {
                    try FileManager.default.createDirectory(
                        atPath: path.string, withIntermediateDirectories: true)
                }
                let error = await #expect(throws: FolderError.self) {
                    try await Indexer(model).update(index, with: path)
                }
                #expect(try #require(error?.description).contains(folder))
            }
            // Nothing was created for a folder without images.
            #expect(!FileManager.default.fileExists(atPath: index.string))
        }
    }
}
