import CVectors
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
                    directory, paths: first.map { FilePath("/images/\($0).jpg") }) == 50)
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

    @Test("A query that is not E finite numbers is an error")
    func strangeQueries() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            try SyntheticIndex.append(SyntheticIndex.features(5, seed: 1), first: 0, to: index)
            let forward = try ForwardIndex(index)
            for value in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude] {
                var values = [Float](repeating: 0.1, count: SyntheticIndex.width)
                values[3] = value
                #expect(throws: QueryError.self) { try forward.recall(Tensor(values), count: 3) }
            }
            #expect(throws: QueryError.self) { try forward.recall(.ones([7]), count: 3) }
            let query = try SyntheticIndex.features(1, seed: 2)[0]
            #expect(try forward.recall(query, count: .max).count == 5)
        }
    }

    @Test("An entry whose feature is not a number is near to nothing")
    func strangeEntries() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(5, seed: 1)
            let strange = Tensor([Float](repeating: .nan, count: SyntheticIndex.width))
            try SyntheticIndex.append(
                .concatenated([features, strange.unsqueezed(0)]), first: 0, to: index)
            try ForwardIndex.makeGraph(index)
            let forward = try ForwardIndex(index)
            for method in RecallMethod.allCases {
                let found = try forward.recall(features[0], count: 6, method: method)
                #expect(try Set(numbers(found, forward)) == [0, 1, 2, 3, 4])
            }
        }
    }

    @Test(
        "The bounds of a code hold at any width, where rounding is all that is left",
        arguments: [40, 256, 3000, 20_000])
    func bounds(_ width: Int) throws {
        // All numbers are one or its opposite times the same, so that codes are exact.
        let unit = 1 / Float(width).squareRoot()
        var generator = SystemRandomNumberGenerator()
        let row = [Float](repeating: unit, count: width)
        let query = row.map { Bool.random(using: &generator) && width == 40 ? -$0 : $0 }
        let codes = query.map { Int8($0 < 0 ? -127 : 127) }
        let scale = unit / 127
        var (hit, form) = (vectors_hit(), vectors_query())
        [Int8](repeating: 127, count: width).withUnsafeBufferPointer { rows in
            codes.withUnsafeBufferPointer { codes in
                form = vectors_query(codes: codes.baseAddress, scale: scale, error: 0, length: 1)
                _ = vectors_scan_codes(
                    rows.baseAddress, [scale], [0], 1, Int32(width), &form, -.infinity, &hit)
            }
        }
        let product = vectors_product(row, query, Int32(width))
        #expect(abs(product - hit.score) <= hit.uncertainty)
        #expect(hit.uncertainty < 0.006)
    }
}
