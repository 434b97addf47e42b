import Foundation
import Retrieval
import RetrievalTesting
import Storage
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Keeping an index in order", .oneModelAndTwo)
struct IndexMaintenanceTests {
    private func withIndex(
        _ budget: TokenBudget? = nil,
        _ body: (SearchModel, _ photos: FilePath, _ index: FilePath) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (photos, index) = (folder.appending("photos"), folder.appending("index"))
            try TinyImages.write(23, to: photos)
            let model = try TinyModel.search(in: folder)
            _ = try await Indexer(
                model, options: .init(batchSize: 2, commitInterval: 4, budget: budget)
            )
            .update(index, with: photos)
            try await body(model, photos, index)
        }
    }

    private func answers(_ model: SearchModel, _ index: FilePath) throws -> [String] {
        try Searcher(model, ForwardIndex(index)).search("a dog", count: 50).map {
            "\($0.path) \($0.similarity) \($0.matchLogit ?? 0)"
        }
    }

    @Test(
        "Compacting keeps every answer and frees what was removed",
        arguments: [
            TokenBudget(), TokenBudget(count: 5, precision: .int8), TokenBudget(count: 0),
        ])
    func compaction(_ budget: TokenBudget) async throws {
        try await withIndex(budget) { model, photos, index in
            let gone = (0..<5).map { photos.appending(String(format: "%03d.bmp", $0 * 4)) }
            #expect(try ForwardIndex.remove(index, paths: gone) == 5)
            let before = try ForwardIndex(index)
            #expect(before.count == 18 && before.statistics.removed == 5)
            let expected = try answers(model, index)
            try ForwardIndex.compact(index)
            let after = try ForwardIndex(index)
            #expect(after.statistics.segments == 1 && after.statistics.removed == 0)
            #expect(after.statistics.byteCount < before.statistics.byteCount)
            #expect(try answers(model, index) == expected)
            #expect(try ForwardIndex.verify(index).isEmpty)
            // Nothing is left behind, and what is open still answers.
            let files = try FileManager.default.contentsOfDirectory(
                atPath: index.appending("segments").string)
            #expect(files.count == 1)
            #expect(try Searcher(model, before).search("a dog", count: 50).count == 18)
            // What was removed is new to the index, the rest is known.
            let report = try await Indexer(model).update(index, with: photos)
            #expect(report.encoded == 5 && report.unchanged == 18)
            // Nothing to do is nothing done.
            try ForwardIndex.compact(index)
            let generation = try ForwardIndex(index).generation
            try ForwardIndex.compact(index)
            #expect(try ForwardIndex(index).generation == generation)
        }
    }

    @Test("Small files are joined up to the size that is asked for")
    func sizes() async throws {
        try await withIndex { _, _, index in
            let before = try ForwardIndex(index).statistics
            #expect(before.segments == 6)
            try ForwardIndex.compact(index, segmentByteCount: before.byteCount / 3)
            let after = try ForwardIndex(index).statistics
            #expect(after.segments > 1 && after.segments < 6)
            #expect(after.images == 23)
        }
    }

    @Test("All removed leaves an empty index that can be filled again")
    func empty() async throws {
        try await withIndex { model, photos, index in
            #expect(try ForwardIndex.remove(index, paths: [photos]) == 23)
            try ForwardIndex.compact(index)
            #expect(try ForwardIndex(index).statistics.segments == 0)
            #expect(try answers(model, index).isEmpty)
            #expect(try await Indexer(model).update(index, with: photos).encoded == 23)
        }
    }

    @Test("Any byte that changes is found")
    func verification() async throws {
        try await withIndex { _, _, index in
            #expect(try ForwardIndex.verify(index).isEmpty)
            let folder = index.appending("segments")
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted().first)
            let url = URL(filePath: folder.appending(name).string)
            let whole = try Data(contentsOf: url)
            for place in stride(from: 9, to: whole.count, by: whole.count / 23) {
                var changed = whole
                changed[place] ^= 4
                try changed.write(to: url)
                let damage = try ForwardIndex.verify(index)
                #expect(damage.map { $0.file.lastComponent?.string } == [name])
            }
            try whole.write(to: url)
            #expect(try ForwardIndex.verify(index).isEmpty)
            try FileManager.default.removeItem(at: url)
            #expect(try ForwardIndex.verify(index).count == 1)
        }
    }

    @Test("An index of format 1 is read, and becomes one of today's with the next commit")
    func migration() async throws {
        try await withIndex { model, photos, index in
            let expected = try answers(model, index)
            try Self.downgrade(index)
            #expect(try answers(model, index) == expected)
            #expect(try await Indexer(model).update(index, with: photos).unchanged == 23)
            #expect(try ForwardIndex.verify(index).isEmpty)
            let first = photos.appending("000.bmp")
            let moved = photos.appending("moved.bmp")
            try FileManager.default.moveItem(atPath: first.string, toPath: moved.string)
            #expect(try await Indexer(model).update(index, with: photos).reused == 1)
            let manifest = try String(
                contentsOfFile: index.appending("manifest.json").string, encoding: .utf8)
            #expect(manifest.contains("\"format\" : \(TinyModel.hasRecall ? 3 : 2)"))
            try ForwardIndex.compact(index)
            #expect(
                try answers(model, index).map { $0.replacing("moved.bmp", with: "000.bmp") }
                    .sorted()
                    == expected.sorted())
        }
    }

    /// Rewrites an index as format 1 had it.
    private static func downgrade(_ index: FilePath) throws {
        let url = URL(filePath: index.appending("manifest.json").string)
        var manifest = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        var segments = try #require(manifest["segments"] as? [[String: Any]])
        for position in segments.indices {
            let name = try #require(segments[position]["name"] as? String)
            let path = index.appending("segments").appending("\(name).safetensors")
            let file = try SafetensorsFile(path)
            let ends = try Tensor(file.tensor("entry_ends")).values(as: Int.self)
            let json = try Tensor(file.tensor("entries")).values(as: UInt8.self)
            let entries = zip([0] + ends, ends).map {
                String(decoding: json[$0..<$1], as: UTF8.self)
            }
            let array = Array("[\(entries.joined(separator: ","))]".utf8)
            try SafetensorsWriter.write(
                [
                    .init(name: "features", tensor: file.tensor("features")),
                    .init(name: "tokens", tensor: file.tensor("tokens")),
                    .init(
                        name: "entries",
                        tensor: StoredTensor(dtype: .uint8, shape: [array.count], bytes: array)),
                ], to: path)
            let bytes = try Data(contentsOf: URL(filePath: path.string))
            segments[position]["byte_count"] = bytes.count
            segments[position]["sha256"] = ContentDigest(of: Array(bytes)).hexadecimal
        }
        manifest["format"] = 1
        manifest["tokens"] = nil
        manifest["segments"] = segments
        try JSONSerialization.data(withJSONObject: manifest).write(to: url)
    }

    @Test("Readers that open while an index is compacted always find all of it")
    func concurrentReaders() async throws {
        try await withIndex { model, photos, index in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 0..<12 {
                        let path = photos.appending("extra.bmp")
                        try Data(TinyImages.bitmap(200 + round)).write(
                            to: URL(filePath: path.string))
                        _ = try await Indexer(model).update(index, with: photos)
                        try ForwardIndex.compact(index)
                    }
                }
                group.addTask {
                    for _ in 0..<200 {
                        let count = try ForwardIndex(index).count
                        #expect(count >= 23)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try ForwardIndex(index).count == 24)
        }
    }

    @Test("What a writer compacts while an index is verified is not damage")
    func verifyingBesideAWriter() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            for part in 0..<3 {
                try SyntheticIndex.append(
                    try SyntheticIndex.features(8, seed: UInt64(part)), first: part * 8, to: index)
            }
            try ForwardIndex.makeGraph(index)
            var isCompacted = false
            let damage = try ForwardIndex.verify(index) { done, _ in
                guard done == 1, !isCompacted else { return }
                isCompacted = true
                try ForwardIndex.compact(index)
                try ForwardIndex.makeGraph(index)
            }
            #expect(isCompacted && damage.isEmpty)
            #expect(try ForwardIndex(index).statistics.segments == 1)
        }
    }
}
