import Foundation
import Retrieval
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Recall by the index and by a store")
struct StoreRecallTests {
    private func withContract(
        _ body: (RecallContract, MemoryStore) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let contract = try RecallContract(in: folder)
            let store = MemoryStore()
            _ = try await FeaturePush(to: store).run(ForwardIndex(contract.directory))
            try await body(contract, store)
        }
    }

    @Test func embeddedRecallKeepsTheContract() async throws {
        try await withContract { contract, _ in try contract.check(EmbeddedRecall()) }
    }

    @Test func storeKeepsTheContract() async throws {
        try await withContract { contract, store in
            let recall = StoreRecall(store)
            try contract.check(recall)
            #expect(recall.kind == "memory" && recall.counts.unknown == 0)
        }
    }

    @Test("A store that is behind costs questions, but invents nothing")
    func outdatedStore() async throws {
        try await withContract { contract, store in
            let before = try ForwardIndex(contract.directory)
            let nearest = try before.recall(contract.features[9], count: 40)
            let gone = try nearest.prefix(25).map { try before.entry($0.id).path }
            _ = try ForwardIndex.remove(contract.directory, paths: gone)
            let index = try ForwardIndex(contract.directory)
            let recall = StoreRecall(store)
            let request = RecallRequest(feature: contract.features[9], count: 15)
            let found = try recall.candidates(for: [request], in: index, locator: EntryLocator())[0]
                .get()
            #expect(found == Array(nearest.dropFirst(25)))
            #expect(recall.counts.unknown == 25)
            #expect(store.state.withLock { $0.questions } > 1)
        }
    }

    @Test("Entries are found where compaction has moved them")
    func compactedIndex() async throws {
        try await withContract { contract, store in
            try ForwardIndex.compact(contract.directory)
            try contract.check(StoreRecall(store))
        }
    }

    @Test("Rows of others are left out")
    func strangers() async throws {
        try await withContract { contract, store in
            let stranger = StoredFeature(
                id: "not a key", feature: try contract.features[9].values(), fields: "{\"is\":[]}",
                place: 0, version: 1)
            try await store.write([stranger])
            try contract.check(StoreRecall(store))
        }
    }

    @Test("A search for more candidates than the store proposes is refused")
    func tooMany() async throws {
        try await withContract { contract, _ in
            let recall = StoreRecall(MemoryStore(maximumCount: 100))
            let request = RecallRequest(feature: contract.features[9], count: 101)
            let answer = recall.candidates(
                for: [request], in: try ForwardIndex(contract.directory), locator: EntryLocator())
            let error = #expect(throws: RecallError.self) { try answer[0].get() }
            #expect(error?.isOfCount == true)
        }
    }

    @Test("Searches that occupy every thread of Swift's tasks still end")
    func manyWaitingSearches() async throws {
        try await withContract { contract, store in
            let recall = StoreRecall(store)
            let index = try ForwardIndex(contract.directory)
            let features = contract.features
            try await withThrowingTaskGroup(of: Int.self) { group in
                for row in 0..<32 {
                    group.addTask {
                        try recall.candidates(
                            for: [RecallRequest(feature: features[row], count: 5)], in: index,
                            locator: EntryLocator())[0].get().count
                    }
                }
                for try await count in group { #expect(count == 5) }
            }
        }
    }

    @Test("A searcher asks the store and shows its own similarities")
    func searcherAsksTheStore() async throws {
        try await withTinyIndex(images: 8) { own, index, _ in
            let store = MemoryStore()
            let forward = try ForwardIndex(index)
            _ = try await FeaturePush(to: store).run(forward)
            let other = try Searcher(own.model, forward, recall: StoreRecall(store))
            let (expected, found) = (try own.search("a dog"), try other.search("a dog"))
            #expect(!expected.isEmpty && found == expected)
            #expect(store.state.withLock { $0.questions } == 1)
        }
    }
}
