import Foundation
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Recall by a graph")
struct RecallGraphTests {
    private func withIndex(_ body: (FilePath, Tensor) throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let features = try SyntheticIndex.features(2000, seed: 5)
            let index = folder.appending("index")
            for range in [0..<800, 800..<2000] {
                try SyntheticIndex.append(features[range], first: range.lowerBound, to: index) {
                    ["number": .number(Double($0))]
                }
            }
            try body(index, features)
        }
    }

    /// The share of the exact answer that the graph finds, over queries near some of the features.
    private func share(
        _ index: ForwardIndex, _ features: Tensor, _ count: Int
    ) throws -> Double {
        let noise = Tensor.normal([50, SyntheticIndex.width], generator: try Generator(seed: 6))
        let queries = (features[Tensor((0..<50).map { $0 * 39 })] + noise * 0.05).normalized()
        var found = 0
        for row in 0..<50 {
            let exact = try index.recall(queries[row], count: count, method: .exact)
            let near = try index.recall(queries[row], count: count, method: .graph)
            #expect(near.count == count && near == near.sorted())
            let similarities = Dictionary(
                uniqueKeysWithValues: exact.map { ($0.id, $0.similarity) })
            for candidate in near {
                guard let similarity = similarities[candidate.id] else { continue }
                found += 1
                // What is found is compared exactly.
                #expect(candidate.similarity == similarity)
            }
        }
        return Double(found) / Double(50 * count)
    }

    @Test func findsNearlyAll() async throws {
        try await withIndex { directory, features in
            #expect(throws: IndexError.self) {
                try ForwardIndex(directory).recall(.ones([40]), count: 1, method: .graph)
            }
            try ForwardIndex.makeGraph(directory)
            let index = try ForwardIndex(directory)
            #expect(index.statistics.graphRows == 2000)
            #expect(try share(index, features, 20) > 0.98)
            #expect(try ForwardIndex.verify(directory).isEmpty)
        }
    }

    @Test func knowsWhatIsRemovedAndComparesWhatIsNew() async throws {
        try await withIndex { directory, features in
            try ForwardIndex.makeGraph(directory)
            let near = features[10]
            #expect(
                try ForwardIndex.remove(directory, paths: [FilePath("/images/10.jpg")]) == 1)
            var answer = try ForwardIndex(directory).recall(near, count: 20, method: .graph)
            #expect(answer.count == 20 && answer[0].similarity < 0.9999)
            try SyntheticIndex.append(near.unsqueezed(0), first: 2000, to: directory)
            let index = try ForwardIndex(directory)
            answer = try index.recall(near, count: 20, method: .graph)
            #expect(try index.entry(answer[0].id).size == 2000)
            #expect(try share(index, features, 20) > 0.98)
            // With a filter, and when nearly all is removed, everything is compared.
            let filtered = try index.recall(
                near, count: 5, filters: [MetadataFilter("number", .less, "40")], method: .graph)
            #expect(filtered.count == 5)
            let paths = (0..<1990).map { FilePath("/images/\($0).jpg") }
            _ = try ForwardIndex.remove(directory, paths: paths)
            let few = try ForwardIndex(directory)
            #expect(try few.recall(near, count: 20, method: .graph).count == 11)
        }
    }

    /// What the graph does not change: the exact answer, by the method that is chosen without one.
    private func expectFallback(
        _ directory: FilePath, _ query: Tensor, reason: String
    ) throws {
        let index = try ForwardIndex(directory)
        let found = try index.recall(query, count: 20)
        #expect(try found == index.recall(query, count: 20, method: .exact))
        #expect(found.count == 20)
        let fault = try #require(index.graphFault)
        #expect(fault.contains(reason) && fault.contains("albef index graph"), "\(fault)")
        // Whoever asks for the graph is told.
        #expect(throws: IndexError.self) {
            try index.recall(query, count: 20, method: .graph)
        }
    }

    @Test("A graph that is cut short or missing is reported, and everything is compared")
    func damagedFile() async throws {
        try await withIndex { directory, features in
            try ForwardIndex.makeGraph(directory)
            let files = IndexFiles(directory)
            let file = try files.graph()
            try files.change(file) { $0 = $0.dropLast(100) }
            let name = file.lastPathComponent
            #expect(try ForwardIndex.verify(directory).map(\.file.lastComponent?.string) == [name])
            try expectFallback(directory, features[3], reason: "bytes")
            try FileManager.default.removeItem(at: file)
            try expectFallback(directory, features[3], reason: "cannot open it")
            try ForwardIndex.makeGraph(directory)
            #expect(try ForwardIndex.verify(directory).isEmpty)
            #expect(try ForwardIndex(directory).graphFault == nil)
        }
    }

    @Test("A graph of another width, with strange labels or zeroed pages is never followed")
    func forgedFile() async throws {
        try await withIndex { directory, features in
            try ForwardIndex.makeGraph(directory)
            let files = IndexFiles(directory)
            let whole = try Data(contentsOf: files.graph())
            // 32 links of 4 bytes and their number, the vector, the label.
            let (header, links) = (96, 132)
            let element = links + SyntheticIndex.width * 4 + 8
            let label = header + 7 * element + element - 8
            let forgeries: [(String, (inout Data) -> Void)] = [
                ("as many vectors", { $0[16] ^= 1 }),
                ("width", { $0[24] ^= 4 }),
                ("labels", { $0[label + 3] = 1 }),
                ("labels", { $0[label..<label + 8] = $0[(label - element)...].prefix(8) }),
                ("link", { $0[header + 5 * element + 7] = 0x7F }),
                ("neighbours", { $0[header + 5 * element] = 0xFF }),
                ("labels", { $0.resetBytes(in: 4096..<3 * 4096) }),
                ("number of links", { $0.resetBytes(in: 24..<96) }),
                ("cut short", { $0 = $0.dropLast(40) }),
                ("too many", { $0.append(contentsOf: [0, 0, 0, 0]) }),
                ("entry", { $0[52..<56] = Data([0xFF, 0xFF, 0xFF, 0x7F]) }),
                ("highest level", { $0[48..<52] = Data([0, 0, 0, 0]) }),
            ]
            for (reason, forge) in forgeries {
                try files.forgeGraph { bytes in
                    bytes = whole
                    forge(&bytes)
                }
                try expectFallback(directory, features[3], reason: reason)
            }
            try files.forgeGraph { $0 = whole }
            #expect(try ForwardIndex(directory).recall(features[3], count: 5).count == 5)
            #expect(try share(ForwardIndex(directory), features, 10) > 0.98)
        }
    }

    @Test("A snapshot keeps its graph although another writer compacts, replaces or deletes it")
    func snapshots() async throws {
        try await withIndex { directory, features in
            _ = try ForwardIndex.remove(directory, paths: ["/images/10.jpg"])
            try ForwardIndex.makeGraph(directory)
            let snapshot = try ForwardIndex(directory)
            try ForwardIndex.makeGraph(directory)
            try ForwardIndex.compact(directory)
            let files = IndexFiles(directory)
            #expect(try files.segments(".hnsw").count == 1)
            #expect(try share(snapshot, features, 10) > 0.98)
            #expect(snapshot.graphFault == nil)
            // What is new goes on from what was read.
            let current = try #require(try snapshot.refreshed())
            #expect(try share(current, features, 10) > 0.98)
            #expect(current.statistics.graphRows == 1999)
            try FileManager.default.removeItem(atPath: directory.string)
            #expect(try share(current, features, 10) > 0.98)
        }
    }

    @Test("A graph that an earlier version wrote is read")
    func earlierManifest() async throws {
        try await withIndex { directory, features in
            try ForwardIndex.makeGraph(directory)
            let file = IndexFiles(directory).manifest
            var document = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
            var graph = try #require(document.removeValue(forKey: "recall_graph") as? [String: Any])
            let parts = try #require(graph.removeValue(forKey: "parts") as? [[String: Any]])
            graph["segments"] = parts.compactMap { $0["segment"] }
            document["graph"] = graph
            try JSONSerialization.data(withJSONObject: document).write(to: file, options: .atomic)
            let index = try ForwardIndex(directory)
            #expect(index.statistics.graphRows == 2000)
            #expect(try share(index, features, 10) > 0.98)
            #expect(index.graphFault == nil)
        }
    }

    @Test("A manifest whose graph has more rows than can be is damage, not a crash")
    func impossibleCounts() async throws {
        try await withIndex { directory, _ in
            try ForwardIndex.makeGraph(directory)
            let file = IndexFiles(directory).manifest
            var document = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
            var graph = try #require(document["recall_graph"] as? [String: Any])
            var part = try #require((graph["parts"] as? [[String: Any]])?.first)
            part["count"] = Int.max
            graph["parts"] = [part, part]
            document["recall_graph"] = graph
            try JSONSerialization.data(withJSONObject: document).write(to: file, options: .atomic)
            let error = #expect(throws: IndexError.self) { try ForwardIndex(directory) }
            #expect(try #require(error?.description).contains("recall_graph"))
        }
    }
}
