import Foundation
import Retrieval
import RetrievalTesting
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Shards of a folder")
struct IndexShardTests {
    @Test func textsAndNumbers() throws {
        let shard = try #require(IndexShard("2/4"))
        #expect(shard.number == 2 && shard.count == 4 && "\(shard)" == "2/4")
        #expect(shard == IndexShard(2, of: 4))
        for text in [
            "", "2", "4/4", "-1/4", "+1/4", "01/4", "1/4/", "1/0", "a/4", "1 /4", "0/100001",
        ] {
            #expect(IndexShard(text) == nil, "\(text)")
        }
    }

    @Test("A file's shard depends on its path from the folder alone, as documented")
    func division() throws {
        let names = (0..<400).map { "year \($0 % 7)/image-\($0).jpg" }
        let shards = try (0..<4).map { try #require(IndexShard($0, of: 4)) }
        var counts = [0, 0, 0, 0]
        for name in names {
            let digest = ContentDigest(of: Array(name.utf8)).bytes
            let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 4
            for folder in ["/photos", "/mnt/elsewhere"] as [FilePath] {
                let path = folder.pushing(FilePath(name))
                #expect(
                    shards.filter { $0.contains(path, in: folder) }.map(\.number) == [Int(number)])
            }
            counts[Int(number)] += 1
        }
        #expect(counts.allSatisfy { $0 > 60 })
        // An image that is indexed without a folder goes by its name.
        let (image, folder): (FilePath, FilePath) = ("/photos/a.jpg", "/photos")
        for shard in shards {
            #expect(shard.contains(image, in: image) == shard.contains(image, in: folder))
        }
    }

    @Test(
        "Each shard adds, keeps and removes its own files alone, and is idempotent", .oneModelAndTwo
    )
    func updates() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (photos, shards) = (folder.absolute.appending("photos"), folder.appending("shards"))
            try TinyImages.write(40, to: photos)
            let model = try TinyModel.search(in: folder)
            let parts = try (0..<3).map { try #require(IndexShard($0, of: 3)) }
            func update() async throws -> [Indexer.Report] {
                var reports: [Indexer.Report] = []
                for part in parts {
                    var options = Indexer.Options(commitInterval: 4)
                    options.shard = part
                    reports.append(
                        try await Indexer(model, options: options)
                            .update(try part.place(in: shards), with: photos))
                }
                return reports
            }
            func index(_ part: IndexShard) throws -> ForwardIndex {
                try ForwardIndex(part.place(in: shards))
            }
            let first = try await update()
            #expect(first.reduce(0) { $0 + $1.encoded } == 40)
            #expect(try parts.reduce(0) { try $0 + index($1).count } == 40)
            for part in parts {
                let found = try index(part)
                #expect(found.shard == part && found.statistics.isFinished)
                for id in found.ids {
                    #expect(part.contains(try found.entry(id).path, in: photos))
                }
            }
            let generations = try parts.map { try index($0).generation }
            #expect(try await update().allSatisfy { $0.changed == 0 })
            #expect(try parts.map { try index($0).generation } == generations)

            // One file goes and one comes: one shard loses an entry, one gains one.
            try FileManager.default.removeItem(atPath: photos.appending("007.bmp").string)
            try Data(TinyImages.bitmap(99)).write(
                to: URL(filePath: photos.appending("new.bmp").string))
            let second = try await update()
            #expect(second.reduce(0) { $0 + $1.encoded } == 1)
            #expect(second.reduce(0) { $0 + $1.removed } == 1)
            #expect(try parts.reduce(0) { try $0 + index($1).count } == 40)

            // Neither another shard, nor all of the folder, goes into the index of one.
            let place = try parts[0].place(in: shards)
            for wrong in [parts[1], nil] {
                var options = Indexer.Options()
                options.shard = wrong
                await #expect(throws: IndexError.self) {
                    try await Indexer(model, options: options).update(place, with: photos)
                }
            }
        }
    }

    @Test("A shard without images is an index without entries; an empty folder is a mistake")
    func emptyShards() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.absolute.appending("photos")
            try TinyImages.write(1, to: photos)
            let model = try TinyModel.search(in: folder)
            let parts = try (0..<3).map { try #require(IndexShard($0, of: 3)) }
            var counts: [Int] = []
            for part in parts {
                var options = Indexer.Options()
                options.shard = part
                let index = folder.appending("index-\(part.number)")
                _ = try await Indexer(model, options: options).update(index, with: photos)
                counts.append(try ForwardIndex(index).count)
                #expect(try ForwardIndex(index).statistics.isFinished)
            }
            #expect(counts.sorted() == [0, 0, 1])
            let merged = folder.appending("merged")
            let sources = parts.map { folder.appending("index-\($0.number)") }
            #expect(try ForwardIndex.merge(sources, into: merged).entries == 1)

            try FileManager.default.createDirectory(
                atPath: folder.appending("empty").string, withIntermediateDirectories: true)
            var options = Indexer.Options()
            options.shard = parts[0]
            await #expect(throws: FolderError.self) {
                try await Indexer(model, options: options)
                    .update(folder.appending("none"), with: folder.appending("empty"))
            }
        }
    }

    @Test("A shard that is changed to another model stays that shard")
    func modelChange() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.absolute.appending("photos")
            try TinyImages.write(12, to: photos)
            let model = try TinyModel.search(in: folder)
            let place = folder.appending("other")
            try FileManager.default.createDirectory(
                atPath: place.string, withIntermediateDirectories: true)
            let other = try TinyModel(seed: 2).makeSearchModel(in: place)
            var options = Indexer.Options()
            options.shard = IndexShard(1, of: 2)
            let index = folder.appending("index")
            _ = try await Indexer(model, options: options).update(index, with: photos)
            let count = try ForwardIndex(index).count
            options.changesModel = true
            let report = try await Indexer(other, options: options).update(index, with: photos)
            #expect(report.encoded == count && report.replaced != nil)
            let changed = try ForwardIndex(index)
            #expect(changed.model.isSame(as: other.signature) && changed.count == count)
            #expect(changed.shard == IndexShard(1, of: 2) && changed.statistics.isFinished)
        }
    }

    @Test("Every shard has to be there once, and finished")
    func completeness() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.absolute.appending("photos")
            try TinyImages.write(20, to: photos)
            let model = try TinyModel.search(in: folder)
            let shards = folder.appending("shards")
            func encode(_ number: Int, stopping: Bool = false) async throws {
                let shard = try #require(IndexShard(number, of: 3))
                var options = Indexer.Options(batchSize: 1, decodeAhead: 1, commitInterval: 1)
                options.shard = shard
                let indexer = Indexer(model, options: options)
                let place = try shard.place(in: shards)
                let task = Task {
                    try await indexer.update(place, with: photos) { progress in
                        // Cancels itself after the first image.
                        if stopping, progress.done == 1 { withUnsafeCurrentTask { $0?.cancel() } }
                    }
                }
                #expect(try await task.value.wasCancelled == stopping)
            }
            let merged = folder.appending("merged")
            func refusal(_ sources: [FilePath]) -> String {
                do {
                    _ = try ForwardIndex.merge(sources, into: merged)
                    return ""
                } catch {
                    return "\(error)"
                }
            }
            try await encode(2)
            #expect(refusal([shards]).contains("of 3 shards, 2 are missing: 0, 1"))
            try await encode(0)
            try await encode(1, stopping: true)
            #expect(refusal([shards]).contains("shard 1/3 is not finished"))
            let part = try ForwardIndex.merge([shards], into: merged, allowsMissing: true)
            #expect(part.sources == 3 && part.entries < 20)
            #expect(refusal([shards]).contains("is not finished"))
            try await encode(1)
            #expect(refusal([shards]).contains("entries already"))
            let copy = folder.appending("copy")
            try FileManager.default.copyItem(
                atPath: shards.appending("shard-0-of-3").string, toPath: copy.string)
            #expect(refusal([shards, copy]).contains("is shard 0/3, as "))
            let whole = try ForwardIndex.merge([shards], into: merged, replaces: true)
            #expect(whole.entries == 20 && !whole.wasDone)
            #expect(try ForwardIndex.merge([shards], into: merged).wasDone)
            #expect(try ForwardIndex(merged).shard == nil)
            // It is an index of the whole folder now.
            let update = try await Indexer(model).update(merged, with: photos)
            #expect(update.unchanged == 20 && update.changed == 0)
        }
    }
}
