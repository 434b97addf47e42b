import Foundation
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Exact recall")
struct ExactRecallTests {
    /// Three segments of more than one block, with what all of them hold.
    private func withIndex(
        _ body: (FilePath, Tensor) throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let features = try SyntheticIndex.features(11_000, seed: 3)
            let index = folder.appending("index")
            for range in [0..<5000, 5000..<5001, 5001..<11_000] {
                try SyntheticIndex.append(
                    features[range], first: range.lowerBound, to: index
                ) { ["number": .number(Double($0))] }
            }
            try body(index, features)
        }
    }

    private func numbers(_ candidates: [Candidate], _ index: ForwardIndex) throws -> [Int] {
        try candidates.map { try index.entry($0.id).size }
    }

    @Test func findsWhatComparingAllFinds() async throws {
        try await withIndex { directory, features in
            let index = try ForwardIndex(directory)
            let queries = try SyntheticIndex.features(40, seed: 4)
            for row in 0..<40 {
                let query = row < 20 ? queries[row] : features[row * 100]
                for count in [1, 20, 300] {
                    let found = try index.recall(query, count: count)
                    let all: [Float] = features.matmul(query).values()
                    let expected = all.sorted(by: >).prefix(count)
                    let numbers = try numbers(found, index)
                    #expect(Set(numbers).count == count)
                    // Sums in another order may change places that differ in the last digit.
                    for ((candidate, number), similarity) in zip(zip(found, numbers), expected) {
                        #expect(abs(candidate.similarity - similarity) < 1e-6)
                        #expect(abs(all[number] - similarity) < 1e-6)
                    }
                }
            }
        }
    }

    @Test func leavesOutWhatIsRemovedOrDoesNotFulfilAFilter() async throws {
        try await withIndex { directory, features in
            let query = features[123]
            let order = features.matmul(query).topK(11_000).indices.values(as: Int.self)
            let first = Set(order.prefix(50))
            #expect(
                try ForwardIndex.remove(
                    directory, paths: first.map { FilePath("/pictures/\($0).jpg") }) == 50)
            let index = try ForwardIndex(directory)
            let rest = order.filter { !first.contains($0) }
            #expect(
                try numbers(index.recall(query, count: 30), index) == Array(rest.prefix(30)))
            let filters = [
                MetadataFilter("number", .atLeast, "4000"), MetadataFilter("number", .less, "5100"),
            ]
            let filtered = try index.recall(query, count: 30, filters: filters)
            let expected = rest.filter { (4000..<5100).contains($0) }.prefix(30)
            #expect(try numbers(filtered, index) == Array(expected))
        }
    }

    @Test func moreThanThereIsGivesAll() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(5, seed: 1)
            try SyntheticIndex.append(features, first: 0, to: index)
            let forward = try ForwardIndex(index)
            #expect(try forward.recall(features[0], count: 100).count == 5)
            #expect(try forward.recall(features[0], count: 0).isEmpty)
        }
    }
}
