import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Merging indexes", .oneModelAndTwo)
struct IndexMergeTests {
    private let files = FileManager.default

    /// Makes three indexes of 7, 5 and 3 images, of several files each, and removes an entry.
    private func withIndexes(
        _ body: (SearchModel, [FilePath], FilePath) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            let model = try TinyModel.search(in: folder)
            var indexes: [FilePath] = []
            for (number, count) in [7, 5, 3].enumerated() {
                let photos = folder.appending("photos-\(number)")
                try files.createDirectory(atPath: photos.string, withIntermediateDirectories: true)
                for image in 0..<count {
                    try Data(TinyImages.bitmap(number * 20 + image)).write(
                        to: URL(filePath: photos.appending("\(image).bmp").string))
                }
                indexes.append(folder.appending("index-\(number)"))
                _ = try await Indexer(model, options: .init(batchSize: 1, commitInterval: 2))
                    .update(indexes[number], with: photos)
            }
            let gone = folder.appending("photos-0/3.bmp")
            #expect(try ForwardIndex.remove(indexes[0], paths: [gone]) == 1)
            try await body(model, indexes, folder)
        }
    }

    private func paths(_ index: FilePath) throws -> [FilePath] {
        let index = try ForwardIndex(index)
        return try index.ids.map { try index.entry($0).path }
    }

    private func inode(_ path: FilePath) throws -> UInt64 {
        let value = try files.attributesOfItem(atPath: path.string)[.systemFileNumber]
        return try #require(value as? UInt64)
    }

    private func segments(_ index: FilePath) throws -> [FilePath] {
        let folder = index.appending("segments")
        return try files.contentsOfDirectory(atPath: folder.string).sorted().map {
            folder.appending($0)
        }
    }

    @Test("Shares the files, and has the entries and the order of the others")
    func sharing() async throws {
        try await withIndexes { model, indexes, folder in
            try ForwardIndex.makeGraph(indexes[1])
            let merged = folder.appending("merged")
            var steps: [Int] = []
            let report = try ForwardIndex.merge(indexes, into: merged) { done, total in
                #expect(total == 9)
                steps.append(done)
            }
            #expect(steps == Array(0...9))
            #expect(report.sources == 3 && report.entries == 14)
            #expect(report.linked == 9 && report.copied == 0 && report.droppedGraph)
            #expect(try paths(merged) == indexes.flatMap { try paths($0) })
            let shared = Set(try indexes.flatMap { try segments($0) }.map(inode))
            #expect(Set(try segments(merged).map(inode)).isSubset(of: shared))
            #expect(try ForwardIndex.verify(merged).isEmpty)
            #expect(try ForwardIndex(merged).statistics.removed == 1)
            let found = try Searcher(model, ForwardIndex(merged)).search("a dog", count: 20)
            #expect(found.count == 14)

            // What was merged lives on by itself: it is compacted, and the others are deleted.
            for index in indexes { try files.removeItem(atPath: index.string) }
            try ForwardIndex.compact(merged)
            #expect(try ForwardIndex.verify(merged).isEmpty)
            #expect(try ForwardIndex(merged).count == 14)
        }
    }

    @Test("Killed at any step, there is the former index or the merged one, and merging resumes")
    func steps() async throws {
        try await withIndexes { model, indexes, folder in
            for hasFormer in [false, true] {
                let merged = folder.appending("merged-\(hasFormer)")
                let former = hasFormer ? try paths(indexes[2]) : []
                if hasFormer {
                    try files.copyItem(atPath: indexes[2].string, toPath: merged.string)
                }
                var states: [FilePath] = []
                func keep() throws {
                    states.append(folder.appending("state-\(hasFormer)-\(states.count)"))
                    try files.copyItem(
                        atPath: merged.string, toPath: states[states.count - 1].string)
                }
                let sources = Array(indexes.prefix(2))
                let expected = try sources.flatMap { try paths($0) }
                _ = try ForwardIndex.merge(sources, into: merged, replaces: true) { _, _ in
                    try keep()
                }
                // Between the new manifest and the deletion of the former files, too.
                let last = try #require(states.last)
                try keep()
                for name in try files.contentsOfDirectory(atPath: last.appending("segments").string)
                {
                    try? files.copyItem(
                        atPath: last.appending("segments").appending(name).string,
                        toPath: states[states.count - 1].appending("segments").appending(name)
                            .string)
                }
                #expect(states.count == 9)
                for (step, state) in states.enumerated() {
                    let isNew = step == states.count - 1
                    #expect(try paths(state) == (isNew ? expected : former))
                    #expect(try ForwardIndex.verify(state).isEmpty)
                    let report = try ForwardIndex.merge(sources, into: state, replaces: true)
                    #expect(report.wasDone == isNew)
                    #expect(try paths(state) == expected)
                    // The next writer removes what was left.
                    _ = try ForwardIndex.tidy(state)
                    #expect(try segments(state).count == ForwardIndex(state).statistics.segments)
                }
            }
        }
    }

    @Test("Stopped or refused, it leaves the index as it was")
    func refusals() async throws {
        try await withIndexes { model, indexes, folder in
            struct Stop: Error {}
            let merged = folder.appending("merged")
            try files.copyItem(atPath: indexes[2].string, toPath: merged.string)
            let (before, names) = (try paths(merged), try segments(merged))
            #expect(throws: Stop.self) {
                _ = try ForwardIndex.merge(indexes, into: merged, replaces: true) { done, _ in
                    if done == 4 { throw Stop() }
                }
            }
            #expect(try paths(merged) == before && segments(merged) == names)
            func refusal(_ sources: [FilePath], replaces: Bool = false) -> String {
                do {
                    _ = try ForwardIndex.merge(sources, into: merged, replaces: replaces)
                    return ""
                } catch {
                    return "\(error)"
                }
            }
            #expect(refusal(Array(indexes.prefix(2))).contains("has 3 entries already"))
            #expect(refusal([indexes[0], merged], replaces: true).contains("into itself"))
            #expect(refusal([folder.appending("photos-0")]).contains("contains no index"))
            // The image is in two indexes by now.
            let photos = folder.appending("photos-1")
            _ = try await Indexer(model).update(indexes[0], with: photos)
            let twice = refusal(Array(indexes.prefix(2)), replaces: true)
            #expect(twice.contains("has 5 entries that another index has too"), "\(twice)")
            #expect(twice.contains("photos-1/") && twice.contains("index-0"))
            // Other models and forms.
            let place = folder.appending("other")
            try files.createDirectory(atPath: place.string, withIntermediateDirectories: true)
            let foreign = folder.appending("foreign")
            _ = try await Indexer(TinyModel(seed: 2).makeSearchModel(in: place))
                .update(foreign, with: folder.appending("photos-1"))
            #expect(refusal([indexes[2], foreign], replaces: true).contains("with another model"))
            let small = folder.appending("small")
            _ = try await Indexer(model, options: .init(budget: TokenBudget(count: 2)))
                .update(small, with: folder.appending("photos-1"))
            #expect(refusal([indexes[2], small], replaces: true).contains("precision of tokens"))
            #expect(try paths(merged) == before)
            // A change while it runs.
            #expect(throws: IndexError.self) {
                _ = try ForwardIndex.merge(
                    Array(indexes.suffix(2)), into: folder.appending("late")
                ) { done, _ in
                    if done == 0 {
                        _ = try ForwardIndex.remove(indexes[2], paths: [photos, before[0]])
                    }
                }
            }
        }
    }

    @Test("Finds images that were moved with their index, and writes where they are now")
    func movedSource() async throws {
        try await withIndexes { model, indexes, folder in
            let place = folder.appending("place")
            try files.createDirectory(atPath: place.string, withIntermediateDirectories: true)
            for name in ["index-0", "photos-0"] {
                try files.moveItem(
                    atPath: folder.appending(name).string, toPath: place.appending(name).string)
            }
            let merged = folder.appending("merged")
            let sources = [place.appending("index-0"), indexes[1]]
            let report = try ForwardIndex.merge(sources, into: merged)
            #expect(report.copied == 4 && report.linked == 3)
            let found = try paths(merged)
            #expect(found == (try sources.flatMap { try paths($0) }))
            #expect(found.allSatisfy { files.fileExists(atPath: $0.string) })
            #expect(try ForwardIndex.verify(merged).isEmpty)
        }
    }

    #if os(Linux)
        @Test("Copies to another disk, and compares the checksums")
        func otherDisk() async throws {
            try await withIndexes { model, indexes, folder in
                let memory = FilePath("/dev/shm/albef-\(UUID().uuidString)")
                defer { try? files.removeItem(atPath: memory.string) }
                let report = try ForwardIndex.merge(indexes, into: memory)
                // One disk may hold both.
                #expect(report.linked + report.copied == 9)
                #expect(try ForwardIndex.verify(memory).isEmpty)
                #expect(try paths(memory) == indexes.flatMap { try paths($0) })
                guard report.copied > 0 else { return }
                let damaged = try #require(try segments(indexes[0]).first)
                var bytes = try Data(contentsOf: URL(filePath: damaged.string))
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: URL(filePath: damaged.string), options: .atomic)
                let sources = [indexes[0], indexes[2]]
                #expect(throws: IndexError.self) {
                    _ = try ForwardIndex.merge(sources, into: memory, replaces: true)
                }
                #expect(try ForwardIndex.verify(memory).isEmpty)
                #expect(try ForwardIndex(memory).count == 14)
            }
        }
    #endif
}
