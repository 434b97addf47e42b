import Foundation
import Retrieval
import SystemPackage
import TestSupport
import Testing

@Suite("Making an index")
struct IndexCreationTests {
    /// How often the race is run; `ALBEF_INDEX_RACES` asks for more.
    private static let rounds =
        ProcessInfo.processInfo.environment["ALBEF_INDEX_RACES"].flatMap { Int($0) } ?? 24

    /// Appends one entry, as often as another writer is in the way.
    private static func append(_ number: Int, to index: FilePath) throws {
        let features = try SyntheticIndex.features(1, seed: UInt64(number))
        while true {
            do {
                try SyntheticIndex.append(features, first: number, to: index)
                return
            } catch let error as IndexError where error.isLocked {}
        }
    }

    @Test("Of writers that make one index at the same moment, none loses what another committed")
    func firstWriters() async throws {
        for _ in 0..<Self.rounds {
            try await Fixtures.withTemporaryFolder { folder in
                let index = folder.appending("index")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask { try Self.append(writer, to: index) }
                    }
                    try await group.waitForAll()
                }
                let forward = try ForwardIndex(index)
                let numbers = try forward.ids.map { try forward.entry($0).size }
                #expect(Set(numbers) == [0, 1, 2, 3] && numbers.count == 4)
                #expect(try ForwardIndex.verify(index).isEmpty)
            }
        }
    }

    @Test("An index that lost its manifest is not made anew over its segments")
    func lostManifest() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            try Self.append(1, to: index)
            let files = IndexFiles(index)
            try FileManager.default.removeItem(at: files.manifest)
            let error = #expect(throws: IndexError.self) { try Self.append(2, to: index) }
            let text = try #require(error?.description)
            #expect(text.contains("manifest.json") && text.contains("delete"))
            #expect(try files.segments().count == 1)
        }
    }

    @Test("What changes an index makes none where there is none, not even the folder")
    func nothingIsMade() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let calls: [() throws -> Void] = [
                { _ = try ForwardIndex.remove(index, paths: ["/a.jpg"]) },
                { try ForwardIndex.compact(index) },
                { _ = try ForwardIndex.tidy(index) },
                { try ForwardIndex.makeGraph(index) },
                { _ = try ForwardIndex.repair(index) },
            ]
            for call in calls {
                let error = #expect(throws: IndexError.self) { try call() }
                #expect(error?.isMissing == true)
                #expect(!FileManager.default.fileExists(atPath: index.string))
            }
        }
    }

    @Test("An index that was made but never written to takes what its first writer asks for")
    func emptyIndex() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(2, seed: 1)
            // The vectors do not fit, after the index was made.
            #expect(throws: IndexError.self) {
                try ForwardIndex.append(
                    [], features: features, tokens: nil, to: index,
                    model: SyntheticIndex.signature(tokens: 5))
            }
            #expect(try ForwardIndex(index).count == 0)
            try Self.append(3, to: index)
            #expect(try ForwardIndex(index).count == 1)
        }
    }

    @Test("A writer whose index was deleted and made anew meanwhile changes nothing")
    func replaced() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            try Self.append(1, to: index)
            var isReplaced = false
            let error = #expect(throws: IndexError.self) {
                try ForwardIndex.makeGraph(index) { _, _ in
                    guard !isReplaced else { return }
                    isReplaced = true
                    try FileManager.default.removeItem(atPath: index.string)
                    try Self.append(2, to: index)
                }
            }
            #expect(error?.description.contains("deleted or replaced") == true)
            let forward = try ForwardIndex(index)
            #expect(try forward.ids.map { try forward.entry($0).size } == [2])
            #expect(forward.statistics.graphRows == nil)
            // Where nothing was made anew, nothing is made.
            #expect(throws: (any Error).self) {
                try ForwardIndex.makeGraph(index) { _, _ in
                    try? FileManager.default.removeItem(atPath: index.string)
                }
            }
            #expect(!FileManager.default.fileExists(atPath: index.string))
        }
    }
}
