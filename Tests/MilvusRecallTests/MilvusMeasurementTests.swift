#if Milvus
    import Foundation
    import MilvusRecall
    import Retrieval
    import SystemPackage
    import TestSupport
    import Testing
    import Torch

    /// Compares Milvus with the embedded index on many features, and prints both's times.
    @Suite("Milvus beside the embedded index", .enabled(if: MilvusServer.place != nil))
    struct MilvusMeasurementTests {
        private static let width = 256

        /// Unit vectors around centres, about 500 around each.
        private static func features(_ count: Int) throws -> Tensor {
            let generator = try Generator(seed: 21)
            let kinds = max(1, count / 500)
            let centres = Tensor.normal([kinds, width], generator: generator)
            let choice = (Tensor.uniform([count], generator: generator) * Double(kinds)).to(.int64)
            let noise = Tensor.normal([count, width], generator: generator) * 0.7
            return (centres[choice] + noise).normalized()
        }

        /// Makes an index of features, ten thousand per segment.
        private static func index(_ features: Tensor, in directory: FilePath) throws -> ForwardIndex
        {
            let model = ModelSignature(
                fingerprint: "synthetic", imageSize: 16, embeddingWidth: width, tokenCount: 1,
                tokenWidth: 1)
            let count = features.size(0)
            for start in stride(from: 0, to: count, by: 10_000) {
                let end = min(start + 10_000, count)
                let entries = (start..<end).map { number in
                    IndexEntry(
                        path: FilePath("/images/\(number).jpg"), size: number, modified: 0,
                        sha256: String(repeating: "0", count: 64),
                        metadata: ["year": .number(Double(2000 + number % 25))])
                }
                try ForwardIndex.append(
                    entries, features: features[start..<end], tokens: nil, to: directory,
                    model: model, budget: TokenBudget(count: 0))
            }
            return try ForwardIndex(directory)
        }

        private struct Figures {
            var share = 0.0
            var median = 0.0
            var slowest = 0.0
            /// Queries per second, sixteen in each request.
            var rate = 0.0

            func line(_ name: String) -> String {
                String(
                    format: "%-34@ recall@64 %.4f, p50 %.2f ms, p99 %.2f ms, %.0f queries/s",
                    name as NSString, share, median, slowest, rate)
            }
        }

        private func measure(
            _ recall: any CandidateRecall, _ index: ForwardIndex, _ queries: Tensor,
            _ expected: [[Candidate]], filters: [MetadataFilter] = []
        ) throws -> Figures {
            let locator = EntryLocator()
            let requests = (0..<queries.size(0)).map {
                RecallRequest(feature: queries[$0], count: 64, filters: filters)
            }
            _ = recall.candidates(for: [requests[0]], in: index, locator: locator)
            var (times, right) = ([Double](), 0)
            for (request, expected) in zip(requests, expected) {
                let start = ContinuousClock.now
                let found = try recall.candidates(for: [request], in: index, locator: locator)[0]
                    .get()
                times.append((ContinuousClock.now - start) / .milliseconds(1))
                right += Set(found).intersection(expected).count
            }
            let start = ContinuousClock.now
            for first in stride(from: 0, to: requests.count, by: 16) {
                let part = Array(requests[first..<min(first + 16, requests.count)])
                for answer in recall.candidates(for: part, in: index, locator: locator) {
                    _ = try answer.get()
                }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            times.sort()
            return Figures(
                share: Double(right) / Double(expected.reduce(0) { $0 + $1.count }),
                median: times[times.count / 2], slowest: times[times.count * 99 / 100],
                rate: Double(requests.count) / seconds)
        }

        @Test("Both propose the same candidates")
        func comparison() async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let features = try Self.features(MilvusServer.size)
                let index = try Self.index(features, in: folder.appending("index"))
                let noise = Tensor.normal([400, Self.width], generator: try Generator(seed: 22))
                let rows = Tensor((0..<400).map { $0 * (MilvusServer.size / 400) })
                let queries = (features[rows] + noise * 0.05).normalized()
                let filter = try #require(MetadataFilter("year>=2020"))
                func exact(_ filters: [MetadataFilter]) throws -> [[Candidate]] {
                    try (0..<400).map {
                        try index.recall(
                            queries[$0], count: 64, filters: filters, method: .exact)
                    }
                }
                let (all, filtered) = (try exact([]), try exact([filter]))
                print("\(index.count) features of \(Self.width) numbers")
                func report(
                    _ name: String, _ recall: any CandidateRecall, atLeast least: Double
                ) throws {
                    let found = try measure(recall, index, queries, all)
                    print(found.line(name))
                    #expect(found.share >= least)
                    let some = try measure(recall, index, queries, filtered, filters: [filter])
                    print(some.line("\(name), year>=2020"))
                    // A condition that one row in five fulfils costs an approximate index some more.
                    #expect(some.share >= (least < 1 ? least - 0.02 : 1))
                }
                try report("embedded, exact", EmbeddedRecall(), atLeast: 1)
                for (kind, least) in [("hnsw", 0.99), ("flat", 0.999), ("ivf_sq8&nprobe=64", 0.95)]
                {
                    try await MilvusServer.withStore("measured", "&index=\(kind)") { store in
                        let start = ContinuousClock.now
                        let pushed = try await FeaturePush(to: store).run(index)
                        #expect(pushed.written == index.count)
                        let seconds = (ContinuousClock.now - start) / .seconds(1)
                        let again = ContinuousClock.now
                        #expect(
                            try await FeaturePush(to: store).run(index).unchanged == index.count)
                        print(
                            String(
                                format:
                                    "%@: pushed in %.1f s, %.0f rows/s; compared again in %.1f s",
                                kind as NSString, seconds, Double(index.count) / seconds,
                                (ContinuousClock.now - again) / .seconds(1)))
                        try await MilvusServer.settled(
                            store, rows: index.count, "measured", "&index=\(kind)"
                        ) { recall in
                            try report("Milvus, \(kind)", recall, atLeast: least)
                        }
                    }
                }
                try ForwardIndex.makeGraph(folder.appending("index"))
                let linked = try ForwardIndex(folder.appending("index"))
                let graph = try measure(EmbeddedRecall(), linked, queries, all)
                print(graph.line("embedded, along the graph"))
            }
        }
    }
#endif
