import ALBEF
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Updates of an index", .oneModelAndTwo)
struct IndexerTests {
    private struct Gallery {
        let model: SearchModel
        let photos: FilePath
        let index: FilePath

        func write(_ seed: Int, _ name: String) throws {
            try Data(TinyImages.bitmap(seed)).write(
                to: URL(filePath: photos.appending(name).string))
        }

        /// Adds an entry as another writer would.
        func put(_ path: FilePath, seed: Int) throws {
            var change = IndexChange()
            change.entries = [
                IndexEntry(
                    path: path, size: seed, modified: 0, sha256: String(format: "%064x", seed))
            ]
            change.encoded = try model.encode(
                pixels: [model.pixels(of: TinyImages.bitmap(seed), named: "\(seed)")])
            _ = try ForwardIndex.apply(
                change, to: index, model: model.signature, locator: EntryLocator())
        }

        func names() throws -> [String] {
            let forward = try ForwardIndex(index)
            return try forward.ids.compactMap { try forward.entry($0).path.lastComponent?.string }
                .sorted()
        }
    }

    private func withGallery(
        _ count: Int, _ body: (Gallery) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyImages.write(count, to: folder.appending("photos"))
            try await body(
                Gallery(
                    model: TinyModel.search(in: folder),
                    photos: folder.absolute.appending("photos"), index: folder.appending("index")))
        }
    }

    @Test("An entry that lacks what its file tells is read again, and keeps its vectors")
    func upgrade() async throws {
        try await withGallery(3) { gallery in
            let indexer = Indexer(gallery.model)
            _ = try await indexer.update(gallery.index, with: gallery.photos)
            let before = try ForwardIndex(gallery.index)
            var change = IndexChange()
            change.entries = try before.ids.map { id in
                var entry = try before.entry(id)
                #expect(entry.about?.width == 8)
                entry.about = nil
                return entry
            }
            change.encoded = try gallery.model.encode(
                pixels: before.ids.map {
                    try gallery.model.pixels(of: before.entry($0).path)
                })
            _ = try ForwardIndex.apply(
                change, to: gallery.index, model: gallery.model.signature, locator: EntryLocator())
            let report = try await indexer.update(gallery.index, with: gallery.photos)
            #expect(report.encoded == 0 && report.reused == 3 && report.unchanged == 0)
            let after = try ForwardIndex(gallery.index)
            for id in after.ids { #expect(try after.entry(id).about?.width == 8) }
            let again = try await indexer.update(gallery.index, with: gallery.photos)
            #expect(again.unchanged == 3 && again.changed == 0)
        }
    }

    /// Work that is done at once, after something else.
    private func makeWork(
        _ gallery: Gallery, beforeEncoding: @escaping @Sendable () throws -> Void = {},
        beforeCommit: @escaping @Sendable () throws -> Void = {}
    ) -> Indexer.Work {
        let locator = EntryLocator()
        return Indexer.Work { pixels in
            try beforeEncoding()
            return try gallery.model.encode(pixels: pixels)
        } commit: { change in
            try beforeCommit()
            return try ForwardIndex.apply(
                change, to: gallery.index, model: gallery.model.signature, locator: locator,
                creates: false)
        }
    }

    @Test func othersMayWriteWhileImagesAreEncoded() async throws {
        try await withGallery(9) { gallery in
            try gallery.put("/elsewhere/first.bmp", seed: 500)
            let count = Mutex(0)
            let work = makeWork(
                gallery,
                beforeEncoding: {
                    let number = count.withLock {
                        $0 += 1
                        return $0
                    }
                    // Also an image that this update is about to commit.
                    try gallery.put(FilePath("/elsewhere/\(number).bmp"), seed: 500 + number)
                    try gallery.put(gallery.photos.appending("004.bmp"), seed: 600 + number)
                })
            let indexer = Indexer(
                gallery.model, options: .init(batchSize: 2, commitInterval: 3), work: work)
            let report = try await indexer.update(gallery.index, with: gallery.photos)
            #expect(report.encoded == 9)
            let names = try gallery.names()
            #expect(names.count == 9 + 1 + 5 && Set(names).count == names.count)
            #expect(try ForwardIndex.verify(gallery.index).isEmpty)
        }
    }

    @Test func withWorkOfOthersTheIndexHasToExist() async throws {
        try await withGallery(1) { gallery in
            let indexer = Indexer(gallery.model, work: makeWork(gallery))
            await #expect(throws: IndexError.self) {
                try await indexer.update(gallery.index, with: gallery.photos)
            }
            #expect(!FileManager.default.fileExists(atPath: gallery.index.string))
        }
    }

    @Test func anIndexThatVanishesMeanwhileIsNotMadeAnew() async throws {
        try await withGallery(6) { gallery in
            let indexer = Indexer(gallery.model, options: .init(batchSize: 1, commitInterval: 1))
            let error = await #expect(throws: IndexError.self) {
                try await indexer.update(gallery.index, with: gallery.photos) { progress in
                    guard progress.done == 3 else { return }
                    try? FileManager.default.removeItem(atPath: gallery.index.string)
                }
            }
            #expect(error?.description.contains("contains no index") == true)
            let manifest = gallery.index.appending("manifest.json").string
            #expect(!FileManager.default.fileExists(atPath: manifest))
        }
    }

    @Test func equalFilesAreEncodedOnceAndBrokenOnesDecodedOnce() async throws {
        try await withGallery(2) { gallery in
            for number in 0..<7 { try gallery.write(0, "copy\(number).bmp") }
            let broken = Data(TinyImages.bitmap(3).prefix(60))
            for name in ["bad1.bmp", "bad2.bmp"] {
                try broken.write(to: URL(filePath: gallery.photos.appending(name).string))
            }
            let indexer = Indexer(gallery.model, options: .init(batchSize: 2, commitInterval: 2))
            let report = try await indexer.update(gallery.index, with: gallery.photos)
            #expect(report.encoded == 2 && report.reused == 7)
            #expect(report.failures.map(\.path.lastComponent?.string) == ["bad1.bmp", "bad2.bmp"])
            #expect(Set(report.failures.map(\.reason)).count == 1)
            let found = try Searcher(gallery.model, ForwardIndex(gallery.index))
                .search("train", count: 9)
            #expect(found.count == 9 && Set(found.map(\.sha256)).count == 2)
            #expect(Set(found.map(\.similarity)).count == 2)
            let again = try await indexer.update(gallery.index, with: gallery.photos)
            #expect(again.unchanged == 9 && again.changed == 0)
        }
    }

    @Test func anEmptyFolderEmptiesItsPartOfTheIndexAndOneThatIsAwayDoesNot() async throws {
        try await withGallery(2) { gallery in
            let indexer = Indexer(gallery.model)
            _ = try await indexer.update(gallery.index, with: gallery.photos)
            try gallery.put("/elsewhere/a.bmp", seed: 9)
            let away = gallery.photos.removingLastComponent().appending("away").string
            try FileManager.default.moveItem(atPath: gallery.photos.string, toPath: away)
            await #expect(throws: FolderError.self) {
                try await indexer.update(gallery.index, with: gallery.photos)
            }
            #expect(try gallery.names().count == 3)
            try FileManager.default.createDirectory(
                atPath: gallery.photos.string, withIntermediateDirectories: true)
            #expect(try await indexer.update(gallery.index, with: gallery.photos).removed == 2)
            #expect(try gallery.names() == ["a.bmp"])
        }
    }

    @Test func filesThatOnlySeemUnchangedAreFoundByReadingThemAgain() async throws {
        try await withGallery(3) { gallery in
            var options = Indexer.Options()
            _ = try await Indexer(gallery.model).update(gallery.index, with: gallery.photos)
            // Its size stays, and the scan of before has the date of before.
            let scan = try FolderScan(gallery.photos)
            try gallery.write(77, "001.bmp")
            let plain = try await Indexer(gallery.model).update(gallery.index, with: scan)
            #expect(plain.unchanged == 3)
            options.rereads = true
            let report = try await Indexer(gallery.model, options: options)
                .update(gallery.index, with: scan)
            #expect(report.unchanged == 2 && report.encoded == 1 && report.reused == 0)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func aLockOfAnotherProcessIsWaitedForAndThatIsSaid() async throws {
        try await withGallery(2) { gallery in
            _ = try await Indexer(gallery.model).update(gallery.index, with: gallery.photos)
            try gallery.write(50, "new.bmp")
            let lock = try FileDescriptor.open(gallery.index.appending("lock"), .readWrite)
            defer { try? lock.close() }
            try #require(flock(lock.rawValue, LOCK_EX) == 0)
            var options = Indexer.Options()
            options.lockPatience = .zero
            let error = await #expect(throws: IndexError.self) {
                try await Indexer(gallery.model, options: options)
                    .update(gallery.index, with: gallery.photos)
            }
            #expect(error?.isLocked == true)
            options.lockPatience = .seconds(3600)
            var waits = 0
            let report = try await Indexer(gallery.model, options: options)
                .update(gallery.index, with: gallery.photos) { progress in
                    guard progress.isWaiting else { return }
                    waits += 1
                    flock(lock.rawValue, LOCK_UN)
                }
            #expect(report.encoded == 1 && waits == 1)
        }
    }

    @Test func cancellingCommitsWhatWasEncodedAndTheNextUpdateDoesTheRest() async throws {
        try await withGallery(20) { gallery in
            for number in 0..<4 { try gallery.write(0, "z\(number).bmp") }
            let indexer = Indexer(gallery.model, options: .init(batchSize: 3, commitInterval: 100))
            let task = Task {
                try await indexer.update(gallery.index, with: gallery.photos) { progress in
                    if progress.done == 10 { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            let report = try await task.value
            #expect(report.wasCancelled && report.encoded == 9)
            #expect(try ForwardIndex(gallery.index).count == 9)
            let rest = try await indexer.update(gallery.index, with: gallery.photos)
            #expect(rest.unchanged == 9 && rest.encoded == 11 && rest.reused == 4)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func followingReportsAHindranceOnceAndGoesOn() async throws {
        try await withGallery(2) { gallery in
            _ = try await Indexer(gallery.model).update(gallery.index, with: gallery.photos)
            try gallery.write(50, "new.bmp")
            struct Full: Error {}
            let attempts = Mutex(0)
            let work = makeWork(
                gallery,
                beforeCommit: {
                    let number = attempts.withLock {
                        $0 += 1
                        return $0
                    }
                    if number < 4 { throw Full() }
                })
            let task = Task {
                var events: [String] = []
                try await Indexer(gallery.model, work: work).follow(
                    gallery.index, with: gallery.photos, interval: .milliseconds(1)
                ) { event in
                    switch event {
                    case .hindered: events.append("hindered")
                    case .updated(let report, _):
                        events.append("\(report.encoded) encoded")
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
                return events
            }
            #expect(try await task.value == ["hindered", "1 encoded"])
            #expect(attempts.withLock { $0 } == 4)
            #expect(try gallery.names().contains("new.bmp"))
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func followingTakesUpWhatComesAndGoes() async throws {
        try await withGallery(1) { gallery in
            let indexer = Indexer(gallery.model)
            let task = Task {
                var steps = 0
                try await indexer.follow(
                    gallery.index, with: gallery.photos, interval: .milliseconds(1)
                ) { event in
                    guard case .updated(let report, let scan) = event else { return }
                    steps += 1
                    if steps == 1 {
                        #expect(report.encoded == 1)
                        try gallery.write(8, "later.bmp")
                    } else if scan.files.isEmpty {
                        withUnsafeCurrentTask { $0?.cancel() }
                    } else if try gallery.names().count == 2 {
                        for file in scan.files {
                            try FileManager.default.removeItem(atPath: file.path.string)
                        }
                    }
                }
            }
            try await task.value
            #expect(try gallery.names().isEmpty)
        }
    }
}
