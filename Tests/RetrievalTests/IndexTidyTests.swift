import Foundation
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Tidying between commits")
struct IndexTidyTests {
    private func withFolder(_ body: (FilePath) throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { try body($0.appending("index")) }
    }

    /// Commits entries one by one.
    private func append(_ range: Range<Int>, to index: FilePath) throws {
        let features = try SyntheticIndex.features(range.upperBound, seed: 4)
        for number in range {
            try SyntheticIndex.append(features[number..<number + 1], first: number, to: index)
        }
    }

    private func numbers(_ index: FilePath) throws -> [Int] {
        let forward = try ForwardIndex(index)
        return try forward.ids.map { try forward.entry($0).size }
    }

    @Test("Small neighbours are joined step by step, and the order of the entries stays")
    func joins() async throws {
        try await withFolder { index in
            try append(0..<40, to: index)
            _ = try ForwardIndex.remove(index, paths: ["/images/7.jpg", "/images/39.jpg"])
            var steps = 0
            while try ForwardIndex.tidy(index) { steps += 1 }
            #expect(steps < 40)
            #expect(try ForwardIndex(index).statistics.segments < 8)
            #expect(try numbers(index) == (0..<39).filter { $0 != 7 })
            #expect(try ForwardIndex.verify(index).isEmpty)
            let generation = try ForwardIndex(index).generation
            #expect(try !ForwardIndex.tidy(index))
            #expect(try ForwardIndex(index).generation == generation)
        }
    }

    @Test("A large segment is not rewritten for the sake of few removed rows")
    func leavesLargeOnes() async throws {
        try await withFolder { index in
            let features = try SyntheticIndex.features(600, seed: 4)
            try SyntheticIndex.append(features, first: 0, to: index)
            _ = try ForwardIndex.remove(index, paths: ["/images/7.jpg"])
            let first = try IndexFiles(index).segments()
            try append(600..<620, to: index)
            while try ForwardIndex.tidy(index) {}
            #expect(try IndexFiles(index).segments().first == first.first)
            #expect(try ForwardIndex(index).statistics.removed == 1)
        }
    }

    @Test("A step that fails leaves what was committed, and commits go on")
    func failure() async throws {
        try await withFolder { index in
            try append(0..<10, to: index)
            let files = IndexFiles(index)
            // The first segment opens, but its only entry ends outside of it.
            try files.change(files.segments()[0]) { bytes in
                let ends = Data([UInt8](repeating: 0x7F, count: 7))
                let header = try #require(bytes.range(of: Data("\"entry_ends\"".utf8)))
                let text = String(decoding: bytes[header.lowerBound...].prefix(200), as: UTF8.self)
                let offset = try #require(
                    text.firstMatch(of: /"data_offsets":\[(\d+),/).flatMap { Int($0.1) })
                let start = bytes.prefix(8).enumerated().reduce(8) {
                    $0 + Int($1.element) << (8 * $1.offset)
                }
                bytes.replaceSubrange(start + offset..<start + offset + 7, with: ends)
            }
            try append(10..<11, to: index)
            let generation = try ForwardIndex(index).generation
            #expect(throws: IndexError.self) { try ForwardIndex.tidy(index) }
            let after = try ForwardIndex(index)
            #expect(after.generation == generation && after.count == 11)
            #expect(after.statistics.segments == 11)
            try append(11..<12, to: index)
            #expect(try ForwardIndex(index).count == 12)
        }
    }

    @Test("Tidying and compacting keep a graph, whatever was removed before and after")
    func keepsTheGraph() async throws {
        try await withFolder { index in
            try append(0..<30, to: index)
            _ = try ForwardIndex.remove(index, paths: ["/images/3.jpg"])
            try ForwardIndex.makeGraph(index)
            try append(30..<45, to: index)
            var gone: Set<Int> = [3]
            func check(_ step: String) throws {
                let forward = try ForwardIndex(index)
                let living = (0..<45).filter { !gone.contains($0) }
                #expect(try numbers(index) == living, "\(step)")
                #expect(forward.statistics.graphRows != nil && forward.graphFault == nil)
                let features = try SyntheticIndex.features(45, seed: 4)
                for number in [0, 9, 17, 29, 44] {
                    let near = try forward.recall(features[number], count: 12, method: .graph)
                    let all = try forward.recall(features[number], count: 12, method: .exact)
                    #expect(near == all, "\(step)")
                }
                #expect(try ForwardIndex.verify(index).isEmpty, "\(step)")
            }
            for round in 0..<4 {
                for number in [round * 7 + 1, 44 - round * 3] where gone.insert(number).inserted {
                    _ = try ForwardIndex.remove(
                        index, paths: [FilePath("/images/\(number).jpg")])
                }
                try check("removed in round \(round)")
                if round % 2 == 0 {
                    while try ForwardIndex.tidy(index) {}
                } else {
                    try ForwardIndex.compact(index, segmentByteCount: round == 1 ? 20_000 : 1 << 30)
                }
                try check("joined in round \(round)")
            }
            #expect(try ForwardIndex(index).statistics.segments == 2)
        }
    }
}
