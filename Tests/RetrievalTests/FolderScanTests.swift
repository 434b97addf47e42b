import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Folder scans", .oneModelAndTwo)
struct FolderScanTests {
    /// A folder with empty files of these names, in folders where they have some.
    private func withFiles(
        _ names: [String], _ body: (FilePath) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for name in names {
                let path = folder.absolute.pushing(FilePath(name))
                try FileManager.default.createDirectory(
                    atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
                try Data(name.utf8).write(to: URL(filePath: path.string))
            }
            try await body(folder.absolute)
        }
    }

    private func names(_ scan: FolderScan) -> [String] {
        scan.files.map { file in
            var path = file.path
            _ = path.removePrefix(scan.root)
            return path.string
        }
    }

    @Test func datesThatDoNotFitInNanosecondsAreTheNearestThatDo() async throws {
        try await withFiles(["a.png", "b.png"]) { folder in
            for (name, seconds) in [("a.png", 10_413_792_000), ("b.png", -10_413_792_000)] {
                let path = folder.appending(name).string
                let time = timespec(tv_sec: seconds, tv_nsec: 5)
                try #require(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                let date = attributes[.modificationDate] as? Date
                // Some file systems know no such dates.
                guard Int(date?.timeIntervalSince1970 ?? 0) == seconds else { return }
            }
            let files = try FolderScan(folder).files
            #expect(files.map(\.modified) == [.max, .min])
            #expect(try FolderScan(folder).files == files)
        }
    }

    @Test func aFolderWhoseListingFailsProtectsItsEntries() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.absolute.appending("photos")
            let broken = photos.appending("broken")
            try TinyImages.write(4, to: broken)
            try TinyImages.write(2, to: photos)
            let (indexer, index) = (
                Indexer(try TinyModel.search(in: folder)), folder.appending("index")
            )
            _ = try await indexer.update(index, with: photos)
            try FileManager.default.removeItem(atPath: photos.appending("001.bmp").string)
            let scan = try FolderScan(photos) { folder throws(Errno) in
                let listing = try FolderListing(folder)
                guard folder == broken else { return listing }
                return FolderListing(items: Array(listing.items.prefix(1)), error: .ioError)
            }
            #expect(names(scan) == ["000.bmp", "broken/000.bmp"])
            #expect(scan.failures.map(\.path) == [broken])
            let report = try await indexer.update(index, with: scan)
            #expect(report.removed == 1 && report.failures == scan.failures)
            #expect(try ForwardIndex(index).count == 5)
            // Once the listing fails no more, the folder is another than before.
            let later = try FolderScan(photos) { folder throws(Errno) in
                let listing = try FolderListing(folder)
                guard folder == broken else { return listing }
                return FolderListing(items: Array(listing.items.prefix(1)), error: nil)
            }
            #expect(later.files == scan.files && !later.findsSame(as: scan))
            #expect(later.findsSame(as: later))
            // The same at the root protects everything.
            let nothing = try FolderScan(photos) { _ throws(Errno) in
                FolderListing(items: [], error: .ioError)
            }
            #expect(try await indexer.update(index, with: nothing).removed == 0)
        }
    }

    @Test func ofALinkAndItsFolderTheFirstNameWinsInWhateverOrderTheyAreListed() async throws {
        try await withFiles(["z/a.png"]) { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder.appending("b").string,
                withDestinationPath: folder.appending("z").string)
            for isReversed in [false, true] {
                let scan = try FolderScan(folder) { folder throws(Errno) in
                    let listing = try FolderListing(folder)
                    let items = isReversed ? listing.items.reversed() : listing.items
                    return FolderListing(items: items, error: nil)
                }
                #expect(names(scan) == ["b/a.png"])
            }
        }
    }

    @Test func aLinkToNothingIsAFailureAndAFileThatJustVanishedIsNot() async throws {
        try await withFiles(["a.png"]) { folder in
            let link = folder.appending("link.png")
            try FileManager.default.createSymbolicLink(
                atPath: link.string, withDestinationPath: "/nowhere/at/all")
            let scan = try FolderScan(folder) { folder throws(Errno) in
                let gone = FolderListing.Item(name: "gone.png", isFile: true)
                return FolderListing(items: try FolderListing(folder).items + [gone], error: nil)
            }
            #expect(names(scan) == ["a.png"] && scan.failures.map(\.path) == [link])
        }
    }

    @Test func anEmptyFolderIsNotAnErrorAndOneThatIsAwayIs() async throws {
        try await withFiles(["notes.txt"]) { folder in
            let scan = try FolderScan(folder)
            #expect(scan.files.isEmpty && scan.passedOver == ["txt": 1])
            #expect(throws: FolderError.self) { try FolderScan(folder.appending("away")) }
        }
    }

    @Test func thumbnailsPackagesAndHiddenFoldersAreLeftOut() async throws {
        let all = [
            "@eaDir/a.jpg/SYNO.jpg", "node_modules/x/a.png", ".hidden/a.png", ".a.png", "b/c.jpg",
            "#recycle/a.png", "__MACOSX/a.png", "a.jpg",
        ]
        try await withFiles(all) { folder in
            let found = names(try FolderScan(folder))
            #expect(found == ["a.jpg", "b/c.jpg"])
        }
    }

    @Test func patternsLeaveOutNamesAtAnyDepthAndPathsFromTheirFolder() async throws {
        let all = [
            "a.jpg", "a.tmp.jpg", "drafts/a.jpg", "2014/drafts/b.jpg", "2014/b.jpg",
            "2014/b.tmp.jpg", "2015/raw/c.jpg", "2015/raw.jpg", "2015/cut/c.jpg", "cut/c.jpg",
        ]
        try await withFiles(all) { folder in
            let found = names(
                try FolderScan(folder, exclude: ["*.tmp.jpg", "2014/drafts", "raw/"]))
            #expect(
                found == [
                    "2014/b.jpg", "2015/cut/c.jpg", "2015/raw.jpg", "a.jpg", "cut/c.jpg",
                    "drafts/a.jpg",
                ])
            // A file of patterns works for its folder and those below.
            try Data("# comment\r\n\n/cut\r\nra?\n".utf8).write(
                to: URL(filePath: folder.appending("2015/.albefignore").string))
            try Data("*.tmp.jpg".utf8).write(
                to: URL(filePath: folder.appending(".albefignore").string))
            let rest = names(try FolderScan(folder))
            #expect(
                rest == [
                    "2014/b.jpg", "2014/drafts/b.jpg", "2015/raw.jpg", "a.jpg", "cut/c.jpg",
                    "drafts/a.jpg",
                ])
        }
    }

    @Test func everyFormatThatIsDecodedIsFoundAndWhatIsPassedOverIsCounted() async throws {
        let images = ["a.mpo", "b.jpg_large", "c.DIB", "d.pbm", "e.j2k", "f.hif"]
        try await withFiles(images + ["g.txt", "h.TXT", "noending"]) { folder in
            let scan = try FolderScan(folder)
            #expect(names(scan) == images && scan.passedOver == ["txt": 2, "": 1])
        }
    }

    @Test func filesAreInTheOrderOfTheirPathsBytes() async throws {
        try await withFiles(["a/x.png", "a.b/x.png", "ä.png", "z.png"]) { folder in
            let found = names(try FolderScan(folder))
            #expect(found == ["a.b/x.png", "a/x.png", "z.png", "ä.png"])
        }
    }
}
