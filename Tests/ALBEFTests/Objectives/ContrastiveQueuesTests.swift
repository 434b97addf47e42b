import ALBEF
import SystemPackage
import TestSupport
import Testing
import Torch

/// A plain implementation of the ring, one key at a time.
private struct PlainRing {
    var images: [[Float]]
    var texts: [[Float]]
    var ids: [Int]
    var pointer = 0

    init(_ queues: ContrastiveQueues) {
        images = rows(queues.images.transposed())
        texts = rows(queues.texts.transposed())
        ids = queues.ids.values()
    }

    mutating func enqueue(_ newImages: [[Float]], _ newTexts: [[Float]], _ newIDs: [Int]?) {
        for index in newImages.indices {
            images[pointer] = newImages[index]
            texts[pointer] = newTexts[index]
            ids[pointer] = newIDs?[index] ?? -100
            pointer = (pointer + 1) % images.count
        }
    }
}

private func rows(_ tensor: Tensor) -> [[Float]] {
    (0..<tensor.size(0)).map { tensor[$0].values() }
}

@Suite("Queues of older keys")
struct ContrastiveQueuesTests {
    private let width = 3

    private func queues(_ length: Int) throws -> ContrastiveQueues {
        ContrastiveQueues(
            width: width, length: length, generator: try Generator(seed: 5), device: .cpu)
    }

    private func keys(_ count: Int, _ generator: Generator) -> Tensor {
        .normal([count, width], generator: generator)
    }

    @Test("Queues start as unit vectors of unknown images")
    func start() throws {
        let queues = try queues(50)
        #expect(queues.images.shape == [3, 50] && queues.texts.shape == [3, 50])
        #expect(queues.pointer == 0 && queues.length == 50)
        #expect(queues.ids.values() == [Int](repeating: -100, count: 50))
        for side in [queues.images, queues.texts] {
            #expect((side * side).sum(0).isClose(to: .ones([50])))
        }
        #expect(!queues.images.isClose(to: queues.texts, absolute: 0.1))
        #expect(try self.queues(50).images.values() as [Float] == queues.images.values())
    }

    @Test("Queues are rings for any batch size", arguments: [1, 2, 3, 5, 8, 12])
    func ring(length: Int) throws {
        let generator = try Generator(seed: UInt64(length))
        var queues = try queues(length)
        var plain = PlainRing(queues)
        for (turn, count) in [1, 2, 3, 5, 7, 4, 12, 13, 25, 1, 8, 31].enumerated() {
            let (images, texts) = (keys(count, generator), keys(count, generator))
            let ids = turn % 3 == 2 ? nil : (0..<count).map { turn * 100 + $0 }
            queues.enqueue(images: images, texts: texts, ids: ids.map { Tensor($0) })
            plain.enqueue(rows(images), rows(texts), ids)
            #expect(queues.pointer == plain.pointer)
            #expect(rows(queues.images.transposed()) == plain.images)
            #expect(rows(queues.texts.transposed()) == plain.texts)
            #expect(queues.ids.values() == plain.ids)
        }
    }

    @Test("Queues are values: an earlier copy does not change")
    func copies() throws {
        let generator = try Generator(seed: 1)
        var queues = try queues(6)
        let copy = queues
        let (images, texts, ids) = (queues.images, queues.texts, queues.ids)
        let before = PlainRing(queues)
        for _ in 0..<3 {
            queues.enqueue(
                images: keys(4, generator), texts: keys(4, generator), ids: Tensor([1, 2, 3, 4]))
            #expect(rows(copy.images.transposed()) == before.images && copy.pointer == 0)
            #expect(rows(images.transposed()) == before.images)
            #expect(rows(texts.transposed()) == before.texts)
            #expect(copy.ids.values() == before.ids && ids.values() == before.ids)
        }
        #expect(queues.pointer == 0 && rows(queues.images.transposed()) != before.images)
    }

    @Test("Queues keep no gradients")
    func detached() throws {
        let generator = try Generator(seed: 1)
        var queues = try queues(6)
        let images = keys(4, generator).requiringGrad()
        queues.enqueue(images: images * 2, texts: images * 3, ids: nil)
        #expect(!queues.images.requiresGrad && !queues.texts.requiresGrad)
    }

    @Test("Queues survive storage in a model directory", arguments: [true, false])
    func storage(withIDs: Bool) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let model = try TinyObjective.model()
            let generator = try Generator(seed: 9)
            var queues = ContrastiveQueues(
                width: 8, length: 10, generator: generator, device: .cpu)
            queues.enqueue(
                images: .normal([7, 8], generator: generator),
                texts: .normal([7, 8], generator: generator), ids: .arange(20..<27))
            let directory = try ModelDirectory.write(
                model.entries + queues.entries(withIDs: withIDs),
                configuration: model.configuration,
                vocabulary: Fixtures.tinyVocabulary,
                to: folder.appending("model"))
            var loaded = try #require(try ContrastiveQueues(directory, device: .cpu))
            #expect(loaded.pointer == 7 && loaded.length == 10)
            #expect(loaded.images.values() as [Float] == queues.images.values())
            #expect(loaded.texts.values() as [Float] == queues.texts.values())
            let unknown = [Int](repeating: -100, count: 10)
            #expect(loaded.ids.values() == (withIDs ? queues.ids.values() : unknown))
            // Loaded queues are copies, which can be written to.
            loaded.enqueue(
                images: .normal([5, 8], generator: generator),
                texts: .normal([5, 8], generator: generator), ids: nil)
            #expect(loaded.pointer == 2)
            let plain = try model.writtenPlainly(to: folder.appending("plain"))
            #expect(try ContrastiveQueues(plain, device: .cpu) == nil)
        }
    }
}

extension ALBEFModel {
    /// Writes the model without twins and queues.
    fileprivate func writtenPlainly(to path: FilePath) throws -> ModelDirectory {
        try write(to: path, vocabulary: Fixtures.tinyVocabulary)
        return try ModelDirectory.open(path)
    }
}
