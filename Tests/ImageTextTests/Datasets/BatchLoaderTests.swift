import Foundation
import ImageText
import Synchronization
import SystemPackage
import Testing

@Suite("Training batches")
struct BatchLoaderTests {
    private static let transform = TrainingTransform(side: 6)

    private func take(
        _ count: Int, of loader: BatchLoader, from position: BatchLoader.Position = .init()
    ) async throws -> [TrainingBatch] {
        try await first(count, of: loader.batches(from: position))
    }

    private func options(_ change: (inout BatchLoader.Options) -> Void) -> BatchLoader.Options {
        var options = BatchLoader.Options()
        change(&options)
        return options
    }

    @Test("Batches do not depend on the workers, the start or the cache")
    func determinism() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(14, in: folder)
            for sampling in BatchLoader.Sampling.allCases {
                let reference = try BatchLoader(
                    dataset, batchSize: 4, transform: Self.transform,
                    options: options {
                        $0.sampling = sampling
                        $0.workers = 1
                        $0.lookahead = 0
                    })
                let all = try await take(16, of: reference)
                let perEpoch = sampling == .images ? 3 : 7
                #expect(reference.batchesPerEpoch == perEpoch)
                #expect(all.map(\.epoch) == (0..<16).map { $0 / perEpoch })
                #expect(all.map(\.index) == (0..<16).map { $0 % perEpoch })
                #expect(all.allSatisfy { $0.pixels.count == 4 * Self.transform.count })
                for (workers, lookahead, cache) in [(2, 1, 0), (4, 5, 1000), (3, 2, 1 << 20)] {
                    let loader = try BatchLoader(
                        dataset, batchSize: 4, transform: Self.transform,
                        options: options {
                            $0.sampling = sampling
                            $0.workers = workers
                            $0.lookahead = lookahead
                            $0.cacheBytes = cache
                        })
                    #expect(same(try await take(16, of: loader), all))
                    let start = BatchLoader.Position(epoch: 1, batch: 2)
                    let skipped = perEpoch + 2
                    #expect(
                        same(
                            try await take(16 - skipped, of: loader, from: start),
                            Array(all[skipped...])))
                    let past = BatchLoader.Position(epoch: 0, batch: skipped)
                    #expect(same(try await take(1, of: loader, from: past), [all[skipped]]))
                }
                let other = try BatchLoader(
                    dataset, batchSize: 4, transform: Self.transform,
                    options: options {
                        $0.sampling = sampling
                        $0.seed = 43
                    })
                #expect(!same(try await take(1, of: other), [all[0]]))
            }
        }
    }

    @Test("An epoch has every row once, in an order of its own")
    func coverage() async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(12, in: folder)
            dataset.images[3].captions = []
            dataset.images[5].captions.append(" ")
            dataset.images[7].captions.append("third of 7")
            dataset.images[9].captions.append("first of 2")
            for sampling in BatchLoader.Sampling.allCases {
                let loader = try BatchLoader(
                    dataset, batchSize: sampling == .images ? 11 : 24, transform: Self.transform,
                    options: options { $0.sampling = sampling })
                #expect(loader.batchesPerEpoch == 1 && loader.rowCount == loader.batchSize)
                let epochs = try await take(12, of: loader)
                let captions = dataset.images.flatMap(\.captions).filter { $0 != " " }
                for epoch in epochs {
                    switch sampling {
                    case .images: #expect(epoch.ids.sorted() == [0, 1, 2] + Array(4...11))
                    case .captions: #expect(epoch.captions.sorted() == captions.sorted())
                    }
                    for (id, caption) in zip(epoch.ids, epoch.captions) {
                        #expect(dataset.images[id].captions.contains(caption))
                    }
                    #expect(epoch.images == epoch.ids.map { dataset.images[$0].path })
                    let truths = epoch.captions.flatMap { caption in
                        epoch.ids.map { dataset.images[$0].captions.contains(caption) }
                    }
                    #expect(epoch.truths == truths)
                }
                #expect(Set(epochs.map(\.ids)).count == 12)
                // Captions are drawn anew: in twelve epochs nearly all of them are.
                #expect(Set(epochs.flatMap(\.captions)).count > 20)
                #expect(!epochs.flatMap(\.captions).contains(" "))
            }
        }
    }

    @Test("Rows that fill no batch are left out, and too few rows are an error")
    func partialBatch() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(10, in: folder)
            let loader = try BatchLoader(dataset, batchSize: 4, transform: Self.transform)
            #expect(loader.batchesPerEpoch == 2)
            let epochs = try await take(20, of: loader)
            for epoch in 0..<10 {
                #expect(Set(epochs[2 * epoch].ids + epochs[2 * epoch + 1].ids).count == 8)
            }
            // The two rows left out vary.
            #expect(Set(epochs.flatMap(\.ids)).count == 10)
            #expect {
                try BatchLoader(dataset, batchSize: 11, transform: Self.transform)
            } throws: {
                "\($0)" == "the data set has 10 rows with captions, fewer than a batch of 11"
            }
        }
    }

    @Test("An unreadable image is replaced deterministically and reported once")
    func replacement() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(12, in: folder)
            let broken = dataset.images[4].path
            let whole = try await take(
                4, of: BatchLoader(dataset, batchSize: 6, transform: Self.transform))
            try DatasetFixtures.write("no image", to: broken)
            var runs: [[TrainingBatch]] = []
            for workers in [1, 4] {
                let reported = Mutex<[String]>([])
                let loader = try BatchLoader(
                    dataset, batchSize: 6, transform: Self.transform,
                    options: options { $0.workers = workers }
                ) { error in
                    reported.withLock { $0.append(error.source) }
                }
                runs.append(try await take(4, of: loader))
                #expect(reported.withLock(\.self) == [broken.string])
            }
            #expect(same(runs[0], runs[1]))
            #expect(!runs[0].flatMap(\.images).contains(broken))
            // All other samples are unchanged.
            for (batch, before) in zip(runs[0], whole) {
                for place in 0..<6 where before.ids[place] != 4 {
                    #expect(batch.ids[place] == before.ids[place])
                    #expect(batch.captions[place] == before.captions[place])
                    let range =
                        place * Self.transform.count..<(place + 1) * Self.transform.count
                    #expect(batch.pixels[range] == before.pixels[range])
                }
            }
        }
    }

    @Test("One unreadable image stops a strict loader; too many stop any loader")
    func failure() async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(30, in: folder)
            dataset.images[4].path = folder.appending("missing.jpg")
            let strict = try BatchLoader(
                dataset, batchSize: 30, transform: Self.transform,
                options: options { $0.failurePolicy = .stop })
            await #expect {
                try await take(1, of: strict)
            } throws: {
                ($0 as? ImageError)?.source == folder.appending("missing.jpg").string
            }
            for index in 10..<18 { dataset.images[index].path.extension = "gone" }
            let nine = try BatchLoader(dataset, batchSize: 30, transform: Self.transform)
            #expect(try await take(2, of: nine).count == 2)
            dataset.images[20].path.extension = "gone"
            let ten = try BatchLoader(dataset, batchSize: 30, transform: Self.transform)
            await #expect {
                try await take(1, of: ten)
            } throws: {
                $0 is DatasetError && "\($0)".hasPrefix("10 of 30 images cannot be read")
            }
            var iterator = ten.batches().makeAsyncIterator()
            await #expect(throws: DatasetError.self) { try await iterator.next() }
            #expect(try await iterator.next() == nil)
        }
    }

    @Test("Cached images are not read again")
    func cache() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(8, in: folder)
            let bytes = 8 * 8 * 3
            for (capacity, kept) in [(bytes * 8, 8), (bytes * 5 + 1, 5)] {
                let failures = Mutex(0)
                let loader = try BatchLoader(
                    dataset, batchSize: 8, transform: Self.transform,
                    options: options {
                        $0.cacheBytes = capacity
                        $0.lookahead = 0
                    }
                ) { _ in failures.withLock { $0 += 1 } }
                var iterator = loader.batches().makeAsyncIterator()
                let first = try #require(try await iterator.next())
                #expect(Set(first.ids).count == 8)
                for image in dataset.images {
                    try FileManager.default.removeItem(atPath: image.path.string)
                }
                let second = try #require(try await iterator.next())
                #expect(Set(second.ids).count == kept || kept < 8)
                #expect(failures.withLock(\.self) == 8 - kept)
                _ = try DatasetFixtures.images(8, in: folder)
            }
        }
    }

    @Test("Rows of a group stay in one batch, in random order")
    func groups() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(24, in: folder)
            let loader = try BatchLoader(
                dataset, batchSize: 6, transform: Self.transform,
                options: options { $0.group = 3 })
            let positions = Dictionary(
                uniqueKeysWithValues: dataset.images.enumerated().map { ($1.path, $0) })
            var neighbours = 0
            for epoch in 0..<8 {
                let batches = try await take(4, of: loader, from: .init(epoch: epoch))
                let rows = batches.map { $0.images.compactMap { positions[$0] } }
                #expect(rows.flatMap { $0 }.sorted() == Array(0..<24))
                for batch in rows {
                    let groups = Dictionary(grouping: batch) { $0 / 3 }
                    #expect(groups.values.allSatisfy { $0.count == 3 } && groups.count == 2)
                    neighbours += zip(batch, batch.dropFirst()).count { $0 / 3 == $1 / 3 }
                }
            }
            // Of five pairs of neighbours, two share a group by chance, and four without shuffling.
            #expect((32...96).contains(neighbours), "\(neighbours) of 160")
        }
    }

    @Test("Cancelling the consumer ends the sequence")
    func cancellation() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(20, in: folder)
            let loader = try BatchLoader(
                dataset, batchSize: 4, transform: Self.transform,
                options: options { $0.lookahead = 8 })
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            let consumer = Task {
                for try await _ in loader.batches() { signal.yield() }
            }
            var waiting = started.makeAsyncIterator()
            for _ in 0..<3 { await waiting.next() }
            consumer.cancel()
            await #expect(throws: CancellationError.self) { try await consumer.value }
            // Its pending work holds no place that others need.
            #expect(try await take(6, of: loader).count == 6)
        }
    }
}
