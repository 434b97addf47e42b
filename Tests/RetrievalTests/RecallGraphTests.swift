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
            let features = try SyntheticIndex.features(6000, seed: 5)
            let index = folder.appending("index")
            for range in [0..<2500, 2500..<6000] {
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
        let queries = (features[Tensor((0..<50).map { $0 * 110 })] + noise * 0.05).normalized()
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
            #expect(index.statistics.graphRows == 6000)
            #expect(try share(index, features, 20) > 0.98)
            #expect(try ForwardIndex.verify(directory).isEmpty)
        }
    }

    @Test func knowsWhatIsRemovedAndComparesWhatIsNew() async throws {
        try await withIndex { directory, features in
            try ForwardIndex.makeGraph(directory)
            let near = features[10]
            #expect(
                try ForwardIndex.remove(directory, paths: [FilePath("/pictures/10.jpg")]) == 1)
            var answer = try ForwardIndex(directory).recall(near, count: 20, method: .graph)
            #expect(answer.count == 20 && answer[0].similarity < 0.9999)
            try SyntheticIndex.append(near.unsqueezed(0), first: 6000, to: directory)
            let index = try ForwardIndex(directory)
            answer = try index.recall(near, count: 20, method: .graph)
            #expect(try index.entry(answer[0].id).size == 6000)
            #expect(try share(index, features, 20) > 0.98)
            // With a filter, and when nearly all is removed, everything is compared.
            let filtered = try index.recall(
                near, count: 5, filters: [MetadataFilter("number", .less, "40")], method: .graph)
            #expect(filtered.count == 5)
            let paths = (0..<5990).map { FilePath("/pictures/\($0).jpg") }
            _ = try ForwardIndex.remove(directory, paths: paths)
            let few = try ForwardIndex(directory)
            #expect(try few.recall(near, count: 20, method: .graph).count == 11)
        }
    }

    @Test func compactingDropsItAndDamageIsFound() async throws {
        try await withIndex { directory, _ in
            try ForwardIndex.makeGraph(directory)
            let folder = directory.appending("segments")
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder.string).first {
                    $0.hasSuffix(".hnsw")
                })
            let url = URL(filePath: folder.appending(name).string)
            let whole = try Data(contentsOf: url)
            try whole.dropLast(100).write(to: url)
            #expect(try ForwardIndex.verify(directory).map(\.file.lastComponent?.string) == [name])
            #expect(throws: IndexError.self) {
                try ForwardIndex(directory).recall(.ones([40]), count: 1, method: .graph)
            }
            try ForwardIndex.makeGraph(directory)
            #expect(try ForwardIndex.verify(directory).isEmpty)
            try ForwardIndex.compact(directory)
            #expect(try ForwardIndex(directory).statistics.graphRows == nil)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            #expect(!files.contains { $0.hasSuffix(".hnsw") })
        }
    }
}
