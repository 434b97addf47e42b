import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("An index that is moved")
struct MovedIndexTests {
    private let files = FileManager.default

    /// Makes `a/photos` with some images and `a/index`.
    private func withGallery(_ body: (FilePath, SearchModel) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            try TinyImages.write(5, to: folder.appending("a/photos"))
            let model = try TinyModel.search(in: folder)
            _ = try await Indexer(model, options: .init(commitInterval: 2)).update(
                folder.appending("a/index"), with: folder.appending("a/photos"))
            try await body(folder, model)
        }
    }

    private func move(_ folder: FilePath, _ from: String, _ to: String) throws {
        try files.moveItem(
            atPath: folder.appending(from).string, toPath: folder.appending(to).string)
    }

    private func paths(_ index: FilePath) throws -> [FilePath] {
        let index = try ForwardIndex(index)
        return try index.ids.map { try index.entry($0).path }
    }

    @Test("Its images, moved with it, are found where they are, again and again")
    func together() async throws {
        try await withGallery { folder, model in
            for (from, to) in [("a", "b"), ("b", "c")] {
                try move(folder, from, to)
                let (index, photos) = (
                    folder.appending(to).appending("index"),
                    folder.appending(to).appending("photos")
                )
                let found = try paths(index)
                #expect(
                    found.allSatisfy {
                        $0.starts(with: photos) && files.fileExists(atPath: $0.string)
                    })
                let forward = try ForwardIndex(index)
                let filter = try #require(MetadataFilter("folder=\(photos)"))
                #expect(try forward.count(where: [filter]) == found.count)
                #expect(
                    try EntryLocator().find(EntryKey(found[0]), in: forward).map(forward.entry)?
                        .path
                        == found[0])
                let added = photos.appending("\(to).bmp")
                try Data(TinyImages.bitmap(to == "b" ? 50 : 51)).write(
                    to: URL(filePath: added.string))
                let report = try await Indexer(model).update(index, with: photos)
                #expect(
                    report.encoded == 1 && report.unchanged == found.count && report.removed == 0)
                #expect(try ForwardIndex.verify(index).isEmpty)
            }
            // Joined segments have the paths of today.
            let index = folder.appending("c/index")
            try ForwardIndex.compact(index)
            #expect(try ForwardIndex(index).count == 7)
            try move(folder, "c", "d")
            #expect(
                try paths(folder.appending("d/index")).allSatisfy {
                    $0.starts(with: folder.appending("d/photos"))
                })
        }
    }

    @Test("Alone, it still names the images where they are; so does a copy")
    func alone() async throws {
        try await withGallery { folder, _ in
            let before = try paths(folder.appending("a/index"))
            try files.copyItem(
                atPath: folder.appending("a").string, toPath: folder.appending("copy").string)
            #expect(try paths(folder.appending("copy/index")) == before)
            try move(folder, "a/index", "elsewhere")
            #expect(try paths(folder.appending("elsewhere")) == before)
        }
    }
}
