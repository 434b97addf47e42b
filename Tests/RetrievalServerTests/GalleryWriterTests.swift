import ALBEF
import Foundation
import Logging
import Retrieval
import RetrievalServer
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("The only writer of an index", .oneModelAndTwo, .timeLimit(.minutes(30)))
struct GalleryWriterTests {
    /// A writer over an index of five images, whose commits a test can intercept.
    private struct Fixture {
        let writer: GalleryWriter
        let library: IndexLibrary
        let store: UploadStore
        let model: SearchModel
        let folder: FilePath

        /// An upload whose file is written and whose entry is not committed.
        func upload(_ seed: Int) throws -> (path: FilePath, change: GalleryWriter.Change) {
            let path = store.newPath(extension: "bmp")
            let bytes = TinyImages.bitmap(seed)
            let file = try store.write(bytes, to: path)
            let entry = IndexEntry(
                path: path, size: file.size, modified: file.modified,
                sha256: String(repeating: "ab", count: 32))
            let pixels = try model.pixels(of: bytes, named: "upload")
            return (path, .put(entry, pixels: pixels, waiting: nil))
        }

        func isThere(_ path: FilePath) -> Bool {
            FileManager.default.fileExists(atPath: path.string)
        }
    }

    /// - Parameter hinder: A closure that receives each change and the closure that commits it.
    private func withWriter(
        hinder:
            @escaping @Sendable (IndexChange, () throws -> Set<FilePath>) async throws
            -> Set<FilePath> = { try $1() },
        tidy: @escaping @Sendable () async throws -> Bool = { false },
        _ body: (Fixture) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("photos")
            try TinyImages.write(5, to: photos)
            let model = try TinyModel.search(in: folder)
            let index = folder.appending("index")
            _ = try await Indexer(model).update(index, with: photos)
            let library = try IndexLibrary(index, model, TinyService.silent)
            let store = try UploadStore(folder.appending("uploads"), index: index)
            let locator = EntryLocator()
            let steps = GalleryWriter.Steps(
                encode: { try model.encode(pixels: $0) },
                commit: { change in
                    try await hinder(change) {
                        try library.change {
                            try ForwardIndex.apply(
                                change, to: index, model: model.signature, locator: locator,
                                creates: false)
                        }
                    }
                },
                tidy: tidy)
            try await body(
                Fixture(
                    writer: GalleryWriter(
                        library, store, steps, limit: 16, TinyService.silent),
                    library: library, store: store, model: model, folder: folder))
        }
    }

    @Test("On a full disk no image can be added, and all can be removed")
    func fullDisk() async throws {
        // This disk has room for a manifest only without the reserve, and never for an image.
        let isFull = Atomic(false)
        let reserve = Mutex<FilePath?>(nil)
        try await withWriter(
            hinder: { change, commit in
                if isFull.load(ordering: .relaxed) {
                    let isKept = reserve.withLock { $0 }.map {
                        FileManager.default.fileExists(atPath: $0.string)
                    }
                    if isKept == true || !change.entries.isEmpty { throw Errno.noSpace }
                }
                return try commit()
            }
        ) { fixture in
            reserve.withLock { $0 = fixture.library.directory.appending("reserve.tmp") }
            #expect(fixture.isThere(fixture.library.directory.appending("reserve.tmp")))
            let (own, added) = try fixture.upload(1)
            _ = try await fixture.writer.apply(added)
            #expect(fixture.library.gallery.index.count == 6)

            isFull.store(true, ordering: .relaxed)
            let (refused, addition) = try fixture.upload(2)
            await #expect(throws: Errno.noSpace) { try await fixture.writer.apply(addition) }
            #expect(!fixture.isThere(refused))
            #expect(try await fixture.writer.apply(.remove(own)) == [own])
            #expect(!fixture.isThere(own))
            #expect(fixture.library.gallery.index.count == 5)

            // Once the disk has room again, the reserve is taken again.
            isFull.store(false, ordering: .relaxed)
            _ = try await fixture.writer.apply(try fixture.upload(3).change)
            #expect(fixture.isThere(fixture.library.directory.appending("reserve.tmp")))
            #expect(try ForwardIndex.verify(fixture.library.directory).isEmpty)
        }
    }

    @Test("An image with a committed entry keeps its file, whatever fails afterwards")
    func failureAfterCommit() async throws {
        struct Failure: Error {}
        let fails = Atomic(false)
        try await withWriter(
            hinder: { _, commit in
                let removed = try commit()
                if fails.load(ordering: .relaxed) { throw Failure() }
                return removed
            },
            tidy: { throw Failure() }
        ) { fixture in
            fails.store(true, ordering: .relaxed)
            let (path, change) = try fixture.upload(1)
            _ = try await fixture.writer.apply(change)
            #expect(fixture.isThere(path))
            #expect(fixture.library.gallery.index.count == 6)
            #expect(try await fixture.writer.apply(.remove(path)) == [path])
            #expect(!fixture.isThere(path))
        }
    }

    @Test("An image whose commit failed leaves no file")
    func failureBeforeCommit() async throws {
        struct Failure: Error {}
        try await withWriter(hinder: { _, _ in throw Failure() }) { fixture in
            let (path, change) = try fixture.upload(1)
            await #expect(throws: Failure.self) { try await fixture.writer.apply(change) }
            #expect(!fixture.isThere(path))
            #expect(fixture.library.gallery.index.count == 5)
        }
    }

    @Test("A change that is cancelled before its turn is not made, and leaves no file")
    func withdrawal() async throws {
        let (began, begin) = AsyncStream<Void>.makeStream()
        let (opened, open) = AsyncStream<Void>.makeStream()
        try await withWriter(
            hinder: { _, commit in
                begin.yield()
                for await _ in opened { break }
                return try commit()
            }
        ) { fixture in
            let (first, firstChange) = try fixture.upload(1)
            let (second, secondChange) = try fixture.upload(2)
            let writer = fixture.writer
            let committing = Task { try await writer.apply(firstChange) }
            for await _ in began { break }
            let waiting = Task { try await writer.apply(secondChange) }
            waiting.cancel()
            // The first commit is blocked, so this returns only if it does not wait for that commit.
            await #expect(throws: CancellationError.self) { try await waiting.value }
            committing.cancel()
            open.finish()
            // The result of a running commit is reported even to a cancelled task.
            _ = try await committing.value
            #expect(fixture.isThere(first) && !fixture.isThere(second))
            #expect(fixture.library.gallery.index.count == 6)
        }
    }

    @Test("Clients' changes come between the commits of a folder, and all are made")
    func together() async throws {
        let commits = Mutex<[Int]>([])
        try await withWriter(
            hinder: { change, commit in
                commits.withLock { $0.append(change.entries.count) }
                return try commit()
            }
        ) { fixture in
            let (writer, model) = (fixture.writer, fixture.model)
            try TinyImages.write(40, to: fixture.folder.appending("more"))
            let indexer = Indexer(
                model, options: .init(batchSize: 4, commitInterval: 4),
                work: .init(
                    encode: { try model.encode(pixels: $0) },
                    commit: { try await writer.apply(.folder($0)) }))
            async let report = indexer.update(
                fixture.library.directory, with: fixture.folder.appending("more"))
            for seed in 0..<10 {
                _ = try await writer.apply(try fixture.upload(1000 + seed).change)
            }
            #expect(try await report.failures.isEmpty)
            #expect(fixture.library.gallery.index.count == 55)
            // Neither waited for all changes of the other.
            #expect(commits.withLock { $0.count } >= 10)
            #expect(try ForwardIndex.verify(fixture.library.directory).isEmpty)
        }
    }

    @Test("Pages of ids are slices of all ids, wherever rows were removed")
    func pages() async throws {
        try await withWriter { fixture in
            for seed in 0..<6 {
                _ = try await fixture.writer.apply(try fixture.upload(seed).change)
            }
            let photos = fixture.folder.appending("photos")
            for name in ["000.bmp", "003.bmp"] {
                _ = try await fixture.writer.apply(.remove(photos.appending(name)))
            }
            let index = fixture.library.gallery.index
            let all = index.ids
            #expect(all.count == 9 && index.count == 9)
            for start in 0...9 {
                for end in start...9 {
                    let page = index.ids(skipping: start, count: end - start)
                    #expect(page == Array(all[start..<end]))
                }
            }
        }
    }

    @Test("A folder with foreign files is refused for uploads, and stays unchanged")
    func foreignFolder() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (index, uploads) = (folder.appending("index"), folder.appending("mine"))
            try TinyImages.write(2, to: uploads)
            try Data("draft".utf8).write(to: URL(filePath: uploads.appending("book.new").string))
            let error = #expect(throws: ServerError.self) {
                try UploadStore(uploads, index: index)
            }
            #expect(error?.description.contains("000.bmp") == true, "\(error?.description ?? "")")
            let names = try FileManager.default.contentsOfDirectory(atPath: uploads.string)
            #expect(names.sorted() == ["000.bmp", "001.bmp", "book.new"])

            // A folder of an earlier version has generated names and no marker.
            let earlier = folder.appending("earlier")
            try FileManager.default.createDirectory(
                atPath: earlier.string, withIntermediateDirectories: true)
            let name = "\(UUID().uuidString.lowercased())"
            for suffix in ["bmp", "new"] {
                try Data(TinyImages.bitmap(1)).write(
                    to: URL(filePath: earlier.appending("\(name).\(suffix)").string))
            }
            let store = try UploadStore(earlier, index: index)
            // Once it has the marker, other files in it do not matter.
            try Data(TinyImages.bitmap(2)).write(
                to: URL(filePath: earlier.appending("stray.bmp").string))
            _ = try UploadStore(earlier, index: index)
            let kept = try FileManager.default.contentsOfDirectory(atPath: earlier.string)
                .filter { !$0.hasPrefix(".") }
            #expect(kept.sorted() == ["\(name).bmp", "stray.bmp"].sorted())
            _ = store
        }
    }

    @Test("An empty folder counts as missing if the index has uploads in it")
    func emptyFolder() async throws {
        try await withWriter { fixture in
            _ = try await fixture.writer.apply(try fixture.upload(1).change)
            let uploads = fixture.folder.appending("uploads")
            try FileManager.default.moveItem(
                atPath: uploads.string, toPath: fixture.folder.appending("away").string)
            let index = fixture.library.directory
            let error = #expect(throws: ServerError.self) {
                try UploadStore(uploads, index: index)
            }
            #expect(error?.description.contains("albef index remove") == true)
        }
    }
}
