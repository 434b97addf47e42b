import Foundation
import ImageText
import Synchronization
import SystemPackage
import Testing

@Suite("Training batches of items with one image or two")
struct ItemLoaderTests {
    private static let side = 6
    private static let transform = TrainingTransform(side: side)

    private func loader(
        _ images: [[FilePath]], batchSize: Int = 4, side: Int = Self.side,
        _ change: (inout BatchLoader.Options) -> Void = { _ in },
        onFailure: @escaping @Sendable (ImageError) -> Void = { _ in }
    ) throws -> ItemLoader {
        var options = BatchLoader.Options()
        change(&options)
        return try ItemLoader(
            images, batchSize: batchSize, transform: TrainingTransform(side: side),
            options: options, onFailure: onFailure)
    }

    /// Fourteen items over seven images: one image each, or two.
    private func items(_ slots: Int, in folder: FilePath) throws -> [[FilePath]] {
        let files = try DatasetFixtures.images(7, in: folder).images.map(\.path)
        return (0..<14).map { item in (0..<slots).map { files[(item + 3 * $0) % 7] } }
    }

    private func equal(_ some: [ItemLoader.Batch], _ others: [ItemLoader.Batch]) -> Bool {
        some.count == others.count
            && zip(some, others).allSatisfy {
                $0.items == $1.items && $0.pixels == $1.pixels && $0.epoch == $1.epoch
                    && $0.index == $1.index
            }
    }

    @Test(
        "Batches do not depend on the workers, the start, the cache or the parts",
        arguments: [1, 2])
    func determinism(slots: Int) async throws {
        try await DatasetFixtures.withFolder { folder in
            let items = try items(slots, in: folder)
            let all = try await first(
                8, of: loader(items) { ($0.workers, $0.lookahead) = (1, 0) }.batches())
            #expect(all.map(\.epoch) == [0, 0, 0, 1, 1, 1, 2, 2])
            let sizes = Array(repeating: 4 * Self.transform.count, count: slots)
            #expect(all.allSatisfy { $0.pixels.map(\.count) == sizes })
            let seen = all.prefix(3).flatMap(\.items)
            #expect(Set(seen).count == 12 && all[0].items != all[3].items)
            for (workers, lookahead, cache) in [(2, 1, 0), (4, 5, 1 << 20)] {
                let other = try loader(items) {
                    ($0.workers, $0.lookahead, $0.cacheBytes) = (workers, lookahead, cache)
                }
                #expect(equal(try await first(8, of: other.batches()), all))
                let later = try await first(3, of: other.batches(from: .init(epoch: 1, batch: 2)))
                #expect(equal(later, Array(all[5..<8])))
            }
            let parts = try await [0, 1].asyncMap { index in
                try await first(3, of: loader(items) { $0.part = (index, 2) }.batches())
            }
            for (whole, (one, two)) in zip(all, zip(parts[0], parts[1])) {
                #expect(one.items + two.items == whole.items)
                #expect(zip(one.pixels, two.pixels).map { $0 + $1 } == whole.pixels)
            }
        }
    }

    @Test("A batch that does not fit into memory is refused with the number of its images")
    func memory() async throws {
        try await DatasetFixtures.withFolder { folder in
            for slots in [1, 2] {
                let loader = try loader(items(slots, in: folder), side: 1 << 20)
                let error = await #expect(throws: DatasetError.self) {
                    try await first(1, of: loader.batches())
                }
                #expect(error?.isOutOfMemory == true)
                #expect("\(try #require(error))".contains("\(4 * slots) images"))
            }
        }
    }

    @Test("An item with a damaged image is replaced by another one, and the file is named once")
    func replaced() async throws {
        try await DatasetFixtures.withFolder { folder in
            let items = try items(2, in: folder)
            try DatasetFixtures.write("no image", to: items[0][1])
            let failures = Mutex<[String]>([])
            let loader = try loader(
                items, onFailure: { error in failures.withLock { $0.append("\(error)") } })
            let batches = try await first(6, of: loader.batches())
            let damaged = items.indices.filter { items[$0].contains(items[0][1]) }
            #expect(batches.allSatisfy { Set($0.items).isDisjoint(with: damaged) })
            #expect(failures.withLock { $0.count } == 1)
            #expect(failures.withLock { $0[0].contains(items[0][1].name) })
            let strict = try self.loader(items) { $0.failurePolicy = .stop }
            await #expect(throws: ImageError.self) { try await first(6, of: strict.batches()) }
        }
    }

    @Test("Fewer items than a batch are refused")
    func tooFew() async throws {
        try await DatasetFixtures.withFolder { folder in
            let items = try items(1, in: folder)
            #expect(throws: DatasetError.self) { try loader(items, batchSize: 15) }
        }
    }
}

extension Array where Element == Int {
    /// Returns the results of `body` for each element, one after another.
    fileprivate func asyncMap<Result>(
        _ body: (Int) async throws -> Result
    ) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
