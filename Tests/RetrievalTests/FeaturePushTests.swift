import Foundation
import Retrieval
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Pushing features to a store")
struct FeaturePushTests {
    private func withIndex(
        _ body: (FilePath, MemoryStore) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(120, seed: 3)
            try SyntheticIndex.append(features, first: 0, to: index)
            try await body(index, MemoryStore())
        }
    }

    @Test("The first push writes all, the second nothing, later ones what has changed")
    func pushes() async throws {
        try await withIndex { index, store in
            var push = FeaturePush(to: store)
            push.batch = 50
            var report = try await push.run(ForwardIndex(index))
            #expect((report.written, report.removed, report.unchanged) == (120, 0, 0))
            #expect(store.state.withLock { ($0.rows.count, $0.writes) } == (120, 3))
            report = try await push.run(ForwardIndex(index))
            #expect((report.written, report.removed, report.unchanged) == (0, 0, 120))

            let paths = (Array(0..<20) + Array(30..<35)).map { FilePath("/images/\($0).jpg") }
            _ = try ForwardIndex.remove(index, paths: paths)
            let changed = try SyntheticIndex.features(5, seed: 4)
            try SyntheticIndex.append(changed, first: 30, to: index)
            report = try await push.run(ForwardIndex(index))
            #expect((report.written, report.removed, report.unchanged) == (5, 20, 95))
            let forward = try ForwardIndex(index)
            #expect(store.state.withLock { $0.rows.count } == forward.count)
        }
    }

    @Test("A failed request is reported by its ids, and the next push writes its rows")
    func failures() async throws {
        try await withIndex { index, store in
            var push = FeaturePush(to: store)
            push.batch = 20
            store.state.withLock { $0.failing = [2, 5] }
            var report = try await push.run(ForwardIndex(index))
            #expect(report.written == 80 && !report.gaveUp)
            #expect(report.failures.map(\.count) == [20, 20])
            let keys = try ForwardIndex(index).ids.map {
                EntryKey(try ForwardIndex(index).entry($0).path).description
            }.sorted()
            #expect(report.failures.map(\.first) == [keys[20], keys[80]])
            #expect(report.failures.map(\.last) == [keys[39], keys[99]])
            report = try await push.run(ForwardIndex(index))
            #expect((report.written, report.unchanged) == (40, 80))
        }
    }

    @Test("A push gives up when nothing gets through, and is resumed")
    func givesUp() async throws {
        try await withIndex { index, store in
            var push = FeaturePush(to: store)
            push.batch = 10
            store.state.withLock { $0.failing = [3, 4, 5] }
            var report = try await push.run(ForwardIndex(index))
            #expect(report.gaveUp && report.written == 20 && report.failures.count == 3)
            report = try await push.run(ForwardIndex(index))
            #expect((report.written, report.unchanged) == (100, 20))
        }
    }

    @Test("A push that is stopped is resumed")
    func stops() async throws {
        try await withIndex { index, store in
            struct Stop: Error {}
            var push = FeaturePush(to: store)
            push.batch = 30
            let forward = try ForwardIndex(index)
            await #expect(throws: Stop.self) {
                try await push.run(forward) { if $0.done >= 60 { throw Stop() } }
            }
            let report = try await push.run(forward)
            #expect((report.written, report.unchanged) == (60, 60))
        }
    }

    @Test("Rows of other indexes stay if that is wanted")
    func sharedStore() async throws {
        try await withIndex { index, store in
            try await withIndex { other, _ in
                try SyntheticIndex.append(
                    SyntheticIndex.features(10, seed: 5), first: 500, to: other)
                _ = try await FeaturePush(to: store).run(ForwardIndex(other))
                var push = FeaturePush(to: store)
                push.keepsOthers = true
                var report = try await push.run(ForwardIndex(index))
                #expect(report.removed == 0 && store.state.withLock { $0.rows.count } == 130)
                push.keepsOthers = false
                report = try await push.run(ForwardIndex(index))
                #expect(report.removed == 10)
            }
        }
    }

    @Test("Ranges cover every id once", arguments: [1, 2, 7, 300])
    func ranges(_ count: Int) {
        let ranges = StoreRange.all(count)
        #expect(ranges.count == count)
        var counts = Array(repeating: 0, count: count)
        for number in 0..<2000 {
            let id = EntryKey(FilePath("/\(number)")).description
            let holding = ranges.indices.filter { ranges[$0].contains(id) }
            #expect(holding.count == 1)
            counts[holding[0]] += 1
        }
        // Keys are spread evenly.
        #expect((counts.max() ?? 0) < 4000 / count + 20)
        #expect(ranges.count { $0.contains("zzz") } == 1)
    }
}
