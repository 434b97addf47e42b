import Foundation
import ImageText
import SystemPackage
import Testing

@Suite("Packing shards")
struct ShardPackerTests {
    private func contents(_ folder: FilePath) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try Data(contentsOf: URL(filePath: folder.appending($0).string)))
            })
    }

    @Test("What was packed is read again")
    func roundTrip() async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(7, in: folder.appending("images"))
            dataset.images[1].captions = ["only one\nof two lines "]
            dataset.images[2].captions = []
            (dataset.images[3].id, dataset.images[4].id) = (3, 3)
            let shards = folder.appending("shards")
            let result = try ShardPacker(samplesPerShard: 3).pack(dataset, into: shards)
            #expect(result.index.entries.map(\.samples) == [3, 3, 1])
            #expect(result.index.entries.map(\.url) == ["000000.tar", "000001.tar", "000002.tar"])
            #expect(result.kept.isEmpty)
            let set = try ShardSet([shards.string])
            #expect(set.counts == [3, 3, 1])
            var samples: [ShardSample] = []
            for try await sample in ShardSamples(set.addresses) { samples.append(sample) }
            #expect(samples.map(\.key) == (1...7).map { "00000000\($0)" })
            for (sample, image) in zip(samples, dataset.images) {
                let bytes = try Data(contentsOf: URL(filePath: image.path.string))
                #expect(sample.image?.bytes == Array(bytes))
                let captions = image.captions.map {
                    $0.trimmingCharacters(in: .whitespacesAndNewlines)
                }
                #expect(try sample.captions() == captions)
            }
            #expect(samples[1].members.map(\.field) == ["bmp", "txt"])
            #expect(samples[2].members.map(\.field) == ["bmp"])

            var options = ShardLoader.Options()
            options.shuffle = 1
            let loader = try ShardLoader(
                set, batchSize: 7, transform: TrainingTransform(side: 6), options: options)
            for try await batch in loader.batches() {
                // The image without a caption is replaced; the two of one id share it.
                let ids = Dictionary(
                    zip(batch.images.map(\.description), batch.ids), uniquingKeysWith: { a, _ in a }
                )
                #expect(Set(ids.values).count == ids.count - 1)
                break
            }
        }
    }

    @Test("Equal data make equal shards, and finished shards are kept")
    func resuming() async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(10, in: folder.appending("images"))
            let packer = ShardPacker(samplesPerShard: 4)
            let (first, second) = (folder.appending("first"), folder.appending("second"))
            _ = try packer.pack(dataset, into: first)
            _ = try packer.pack(dataset, into: second)
            let reference = try contents(first)
            #expect(
                Set(reference.keys) == ["000000.tar", "000001.tar", "000002.tar", "shards.json"])
            #expect(try contents(second) == reference)
            #expect(try packer.pack(dataset, into: first).kept == [0, 1, 2])

            // Cut off in the middle: a shard and its entry are missing.
            try FileManager.default.removeItem(atPath: second.appending("000001.tar").string)
            #expect(try packer.pack(dataset, into: second).kept == [0, 2])
            #expect(try contents(second) == reference)

            dataset.images[9].captions = ["changed"]
            #expect(try packer.pack(dataset, into: second).kept == [0, 1])
            dataset.images.removeLast(3)
            let shorter = try packer.pack(dataset, into: second)
            #expect(shorter.kept == [0] && shorter.index.sampleCount == 7)
            #expect(Set(try contents(second).keys) == ["000000.tar", "000001.tar", "shards.json"])
        }
    }

    @Test("An interrupted packer goes on")
    func interrupted() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(9, in: folder.appending("images"))
            let packer = ShardPacker(samplesPerShard: 2)
            let shards = folder.appending("shards")
            let task = Task {
                try packer.pack(dataset, into: shards) { progress in
                    if progress.done == 5 { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            // Two shards are finished, and their index is right.
            #expect(Set(try contents(shards).keys) == ["000000.tar", "000001.tar", "shards.json"])
            #expect(try ShardSet([shards.string]).counts == [2, 2])
            #expect(try packer.pack(dataset, into: shards).kept == [0, 1])
        }
    }

    @Test("A shard has at most as many bytes as were asked for")
    func maximumBytes() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(5, in: folder.appending("images"))
            // Each sample has two headers and two blocks of content.
            let packer = ShardPacker(samplesPerShard: 100, maximumBytes: 2 * 2048 + 1024)
            let index = try packer.pack(dataset, into: folder.appending("shards")).index
            #expect(index.entries.map(\.samples) == [2, 2, 1])
            #expect(index.entries[0].byteCount == 5120)
            let tiny = ShardPacker(samplesPerShard: 100, maximumBytes: 1)
            #expect(try tiny.pack(dataset, into: folder.appending("tiny")).index.entries.count == 5)
        }
    }

    @Test("Refuses missing images, files that are no images, and foreign folders")
    func refusals() async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(2, in: folder)
            let packer = ShardPacker(samplesPerShard: 4)
            #expect(throws: DatasetError.self) { try packer.pack(dataset, into: folder) }
            dataset.images[1].path = folder.appending("none.jpg")
            let shards = folder.appending("shards")
            #expect(throws: ImageError.self) { try packer.pack(dataset, into: shards) }
            dataset.images[1].path = try DatasetFixtures.write("x", to: folder.appending("x.jpg"))
            #expect(throws: ImageError.self) { try packer.pack(dataset, into: shards) }
            #expect(try contents(shards).isEmpty)
            #expect(throws: DatasetError.self) {
                try packer.pack(CaptionDataset(images: []), into: shards)
            }
        }
    }
}
