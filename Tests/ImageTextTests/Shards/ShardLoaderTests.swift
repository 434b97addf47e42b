import Foundation
import ImageText
import Synchronization
import SystemPackage
import Testing

@Suite("Training batches of shards")
struct ShardLoaderTests {
    private static let transform = TrainingTransform(side: 6)

    private func loader(
        _ shards: ShardSet, batch: Int = 1, rank: Int = 0, ranks: Int = 1, worker: Int = 0,
        workers: Int = 1, shuffle: Int = 5, _ change: (inout ShardLoader.Options) -> Void = { _ in }
    ) throws -> ShardLoader {
        var options = ShardLoader.Options()
        options.part = ShardPart(rank: rank, ranks: ranks, worker: worker, workers: workers)
        options.shuffle = shuffle
        change(&options)
        return try ShardLoader(
            shards, batchSize: batch, transform: Self.transform, options: options)
    }

    private func take(
        _ count: Int, of loader: ShardLoader, from position: BatchLoader.Position = .init(),
        begunWith parts: Int? = nil
    ) async throws -> [TrainingBatch] {
        try await first(count, of: loader.batches(from: position, begunWith: parts))
    }

    @Test("Each sample comes once per epoch, over all ranks and workers", arguments: 1...6)
    func everySampleOnce(shardCount: Int) async throws {
        try await DatasetFixtures.withFolder { folder in
            // As many samples for every number of parts up to 12, so that no remainder is left out.
            let counts = (0..<shardCount).map { $0 < shardCount - 1 ? 2 + 3 * $0 : 0 }
            let total = 72
            let last = total - counts.reduce(0, +)
            let addresses = try ShardFixtures.write(counts.dropLast() + [last], to: folder)
            var shards = ShardSet(addresses)
            try shards.count()
            #expect(shards.sampleCount == total)
            let all = (0..<total).map { "image \($0)" }.sorted()
            for (ranks, workers) in [(1, 1), (2, 1), (4, 1), (3, 2), (4, 3)] {
                for epoch in 0..<2 {
                    var seen: [String] = []
                    for (rank, worker) in (0..<ranks).flatMap({ rank in
                        (0..<workers).map { (rank, $0) }
                    }) {
                        let part = try loader(
                            shards, rank: rank, ranks: ranks, worker: worker, workers: workers)
                        #expect(part.batchesPerEpoch == total / ranks / workers)
                        #expect(part.split == .stretches)
                        seen += try await take(
                            part.batchesPerEpoch, of: part, from: .init(epoch: epoch)
                        ).flatMap(\.captions)
                    }
                    #expect(seen.sorted() == all, "\(ranks) ranks, \(workers) workers")
                }
            }
        }
    }

    @Test("Shards of unknown lengths are divided by shards, or by samples if they are few")
    func unknownLengths() async throws {
        try await DatasetFixtures.withFolder { folder in
            let shards = ShardSet(try ShardFixtures.write([5, 5, 5, 5], to: folder))
            #expect(throws: DatasetError.self) { try loader(shards) }
            for (ranks, split) in [
                (1, ShardSplit.shards), (2, .shards), (4, .shards), (5, .samples),
            ] {
                var seen: [String] = []
                for rank in 0..<ranks {
                    let part = try loader(shards, rank: rank, ranks: ranks) {
                        $0.samplesPerEpoch = 20
                    }
                    #expect(part.split == split)
                    seen += try await take(part.batchesPerEpoch, of: part).flatMap(\.captions)
                }
                #expect(seen.sorted() == (0..<20).map { "image \($0)" }.sorted(), "\(ranks) ranks")
            }
        }
    }

    @Test(
        "A sequence from any batch on has what is left, bit for bit", arguments: [1, 4, 7, 30, 100])
    func resuming(shuffle: Int) async throws {
        try await DatasetFixtures.withFolder { folder in
            let addresses = try ShardFixtures.write([7, 1, 12, 9], to: folder)
            var known = ShardSet(addresses)
            try known.count()
            for shards in [known, ShardSet(addresses)] {
                for (rank, ranks) in [(0, 1), (1, 2)] {
                    let part = try loader(
                        shards, batch: 3, rank: rank, ranks: ranks, shuffle: shuffle
                    ) { $0.samplesPerEpoch = 29 }
                    let count = part.batchesPerEpoch
                    let all = try await take(2 * count, of: part)
                    #expect(Set(all.map { $0.captions }).count > count)
                    for start in 0..<2 * count {
                        let position = BatchLoader.Position(
                            epoch: start / count, batch: start % count)
                        let rest = try await take(2 * count - start, of: part, from: position)
                        #expect(same(rest, Array(all[start...])), "from batch \(start)")
                    }
                }
            }
        }
    }

    @Test("Workers and batches made ahead change nothing")
    func determinism() async throws {
        try await DatasetFixtures.withFolder { folder in
            var shards = ShardSet(try ShardFixtures.write([9, 8], to: folder))
            try shards.count()
            let all = try await take(8, of: loader(shards, batch: 4))
            for (workers, lookahead) in [(1, 0), (4, 5)] {
                let other = try loader(shards, batch: 4) {
                    $0.common.workers = workers
                    $0.common.lookahead = lookahead
                }
                #expect(same(try await take(8, of: other), all))
            }
            let seeded = try loader(shards, batch: 4) { $0.common.seed = 43 }
            #expect(!same(try await take(8, of: seeded), all))
            // Neighbours in a shard are apart.
            #expect(all[0].captions != ["image 0", "image 1", "image 2", "image 3"])
        }
    }

    @Test("An epoch that other numbers of ranks go on with has each sample once")
    func otherRanks() async throws {
        try await DatasetFixtures.withFolder { folder in
            var shards = ShardSet(try ShardFixtures.write([7, 1, 12, 4, 24], to: folder))
            try shards.count()
            for (before, after) in [(4, 2), (2, 4), (4, 1), (1, 3), (4, 3), (3, 4)] {
                var seen: [String] = []
                // Twelve samples in all, before the number changes.
                for rank in 0..<before {
                    let part = try loader(shards, rank: rank, ranks: before)
                    seen += try await take(12 / before, of: part).flatMap(\.captions)
                }
                for rank in 0..<after {
                    let part = try loader(shards, rank: rank, ranks: after)
                    let done = 12 / after
                    seen += try await take(
                        part.batchesPerEpoch - done, of: part, from: .init(epoch: 0, batch: done),
                        begunWith: before
                    ).flatMap(\.captions)
                }
                #expect(
                    seen.sorted() == (0..<48).map { "image \($0)" }.sorted(),
                    "\(before) to \(after) ranks")
            }
        }
    }

    @Test("A shard that is cut after it was counted costs its rest, and resuming is still exact")
    func cutShard() async throws {
        try await DatasetFixtures.withFolder { folder in
            let addresses = try ShardFixtures.write([8, 8, 8], to: folder)
            var shards = ShardSet(addresses)
            try shards.count()
            let path = folder.appending("shard-1.tar")
            let content = try Data(contentsOf: URL(filePath: path.string))
            try content.prefix(content.count / 3).write(to: URL(filePath: path.string))
            let damages = Mutex<[ShardDamage]>([])
            let part = try loader(shards, batch: 2) {
                $0.onDamage = { damage in damages.withLock { $0.append(damage) } }
            }
            let all = try await take(24, of: part)
            for epoch in 0..<2 {
                let captions = all[epoch * 12..<epoch * 12 + 12].flatMap(\.captions)
                let expected = Array(0..<11) + Array(16..<24)
                // What is readable comes once; then the epoch goes on with some of it again.
                #expect(
                    captions.prefix(19).sorted() == expected.map { "image \($0)" }.sorted())
                #expect(captions.count == 24)
            }
            #expect(damages.withLock { $0.count } == 1)
            for start in 0..<24 {
                let position = BatchLoader.Position(epoch: start / 12, batch: start % 12)
                let rest = try await take(24 - start, of: part, from: position)
                #expect(same(rest, Array(all[start...])), "from batch \(start)")
            }
        }
    }

    @Test("Shards without a sample that can be read end the sequence")
    func nothingLeft() async throws {
        try await DatasetFixtures.withFolder { folder in
            let shards = ShardSet([ShardAddress(folder.appending("none.tar"))], counts: [4])
            await #expect(throws: DatasetError.self) { try await take(1, of: loader(shards)) }
            let resumed = try loader(shards)
            await #expect(throws: DatasetError.self) {
                try await take(1, of: resumed, from: .init(epoch: 0, batch: 2))
            }
        }
    }

    @Test("Samples that cannot be used are replaced, and reported once")
    func unusable() async throws {
        try await DatasetFixtures.withFolder { folder in
            var files = ShardFixtures.samples(0..<1200)
            files[10].content = Array("no image".utf8)
            files[21].content = Array("  \n".utf8)
            files[30].name = "15.cls"
            let path = try DatasetFixtures.write(
                ShardFixtures.tar(files), to: folder.appending("a.tar"))
            var shards = ShardSet([ShardAddress(path)])
            try shards.count()
            let failures = Mutex<[String]>([])
            var options = ShardLoader.Options()
            options.shuffle = 50
            let part = try ShardLoader(
                shards, batchSize: 100, transform: Self.transform, options: options
            ) { error in failures.withLock { $0.append(error.description) } }
            let batches = try await take(24, of: part)
            #expect(batches.allSatisfy { $0.captions.count == 100 && $0.pixelRows.count == 100 })
            let found = failures.withLock { $0.sorted() }
            #expect(found.count == 3)
            #expect(found.contains("\(path)/5.bmp: is not an image of a known format"))
            #expect(found.contains("\(path)/10.bmp: has no caption"))
            #expect(found.contains("\(path)/15: has no image"))

            options.common.failurePolicy = .stop
            let strict = try ShardLoader(
                shards, batchSize: 100, transform: Self.transform, options: options)
            await #expect(throws: ImageError.self) { try await take(12, of: strict) }
        }
    }

    @Test("A consumer that stops ends the reading, though a command hangs")
    func cancelling() async throws {
        try await DatasetFixtures.withFolder { folder in
            let shard = try ShardFixtures.write([4], to: folder)[0]
            let shards = ShardSet([ShardAddress("pipe:cat '\(shard)'; sleep 1000")], counts: [8])
            let part = try loader(shards, shuffle: 1)
            let task = Task { try await take(8, of: part) }
            // The first samples come, the rest does not.
            #expect(try await take(2, of: part).count == 2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}
