import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Columns of metadata")
struct IndexColumnTests {
    /// Makes an index of several commits, with some entries removed.
    private static func make(
        _ index: FilePath, _ generator: inout some RandomNumberGenerator, first: Int = 0
    ) throws {
        for (start, count) in [(first, 70), (first + 70, 1), (first + 71, 300)] {
            let entries = (start..<start + count).map { number in
                let folder = ["a", "a/b", "a-b", "ab"].randomElement(using: &generator) ?? ""
                return IndexEntry(
                    path: number % 50 == 3
                        ? FilePath(bytes: Data("/images/\(number)".utf8) + Data([0xFF]))
                        : FilePath("/images/\(folder)/\(number).jpg"),
                    size: number, modified: 0,
                    sha256: String(repeating: "0", count: 60) + String(format: "%04x", number),
                    about: RandomMetadata.about(&generator),
                    metadata: RandomMetadata.metadata(&generator))
            }
            try ForwardIndex.append(
                entries, features: SyntheticIndex.features(count, seed: UInt64(start)),
                tokens: nil, to: index, model: SyntheticIndex.signature(),
                budget: TokenBudget(count: 0))
        }
        _ = try ForwardIndex.remove(
            index, paths: [], filters: [MetadataFilter("size", .equals, "\(first + 5)")])
        _ = try ForwardIndex.remove(
            index, paths: [], filters: [MetadataFilter("size", .equals, "\(first + 80)")])
    }

    /// Compares conditions by columns with conditions on decoded entries.
    private static func check(
        _ index: FilePath, _ generator: inout some RandomNumberGenerator, rounds: Int = 150
    ) throws {
        let forward = try ForwardIndex(index)
        let entries = try forward.ids.map { ($0, try forward.entry($0)) }
        for _ in 0..<rounds {
            let filters = (0..<Int.random(in: 1..<4, using: &generator)).map { _ in
                RandomMetadata.filter(&generator)
            }
            let expected = entries.filter { entry in filters.allSatisfy { $0(entry.1) } }.map(\.0)
            #expect(try forward.ids(where: filters) == expected, "\(filters)")
            #expect(try forward.count(where: filters) == expected.count, "\(filters)")
        }
        for order in EntryOrder.allCases {
            let filters = Bool.random(using: &generator) ? [] : [RandomMetadata.filter(&generator)]
            let all = sorted(
                entries.filter { entry in filters.allSatisfy { $0(entry.1) } }, by: order)
            #expect(try forward.ids(where: filters, by: order) == all, "\(order) \(filters)")
            for skipped in [0, 1, 69, 70, 71, all.count - 3, all.count, all.count + 5] {
                let page = try forward.page(
                    where: filters, by: order, skipping: skipped, count: 7)
                #expect(page.ids == Array(all.dropFirst(max(0, skipped)).prefix(7)))
                #expect(page.total == all.count)
            }
        }
        let facets = try forward.facets()
        for (found, texts) in [
            (facets.years, entries.map { date($0.1).map { String($0.prefix(4)) } }),
            (facets.cameras, entries.map { $0.1.about?.camera }),
            (
                facets.folders,
                entries.map { text($0.1.metadata["folder"], or: $0.1.folder) }
            ),
        ] {
            let counts = Dictionary(grouping: texts.compactMap(\.self)) { $0 }.mapValues(\.count)
            #expect(
                Dictionary(uniqueKeysWithValues: found.map { ($0.value, $0.count) }) == counts)
        }
        let locator = EntryLocator()
        for (id, entry) in entries {
            #expect(try locator.find(EntryKey(entry.path), in: forward) == id)
        }
        #expect(try ForwardIndex.verify(index).isEmpty)
    }

    /// Returns the text of metadata; if there is none of the name, that of a field.
    private static func text(_ value: MetadataValue?, or field: String?) -> String? {
        switch value {
        case .text(let text): text
        case nil: field
        default: nil
        }
    }

    private static func date(_ entry: IndexEntry) -> String? {
        text(entry.metadata["date"], or: entry.about?.date)
    }

    /// Sorts entries as ``EntryOrder`` says, comparing them one by one.
    private static func sorted(
        _ entries: [(ForwardIndex.EntryID, IndexEntry)], by order: EntryOrder
    ) -> [ForwardIndex.EntryID] {
        guard order != .path else { return entries.map(\.0) }
        let dates = entries.map { date($0.1) }
        return entries.indices.sorted { a, b in
            switch (dates[a], dates[b]) {
            case (let first?, let second?) where first != second:
                order == .date ? first > second : first < second
            case (.some, nil): true
            case (nil, .some): false
            default: a < b
            }
        }.map { entries[$0].0 }
    }

    @Test(
        "Conditions have the meaning that they have on entries, in new, old and mixed segments",
        arguments: [0, 1, 2, 3] as [UInt64])
    func sameAsEntries(_ seed: UInt64) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            var generator = SeededGenerator(seed: seed)
            let (index, other) = (folder.appending("index"), folder.appending("other"))
            try Self.make(index, &generator)
            try Self.check(index, &generator)
            try IndexFiles(index).removeTables { $0 % 2 == 1 }
            try Self.check(index, &generator)
            // Shared files of both kinds, and then none of the old kind.
            try Self.make(other, &generator, first: 1000)
            let merged = folder.appending("merged")
            let report = try ForwardIndex.merge([index, other], into: merged)
            #expect(report.linked == 6 && report.copied == 0)
            try Self.check(merged, &generator)
            let before = try Self.facts(merged)
            try ForwardIndex.compact(merged)
            try Self.check(merged, &generator)
            #expect(try Self.facts(merged) == before)
            #expect(throws: (any Error).self) {
                try ForwardIndex.merge([index, merged], into: folder.appending("twice"))
            }
        }
    }

    /// What is in common, and the orders by date.
    private static func facts(_ index: FilePath) throws -> [String] {
        let forward = try ForwardIndex(index)
        let facets = try forward.facets()
        return try [facets.years, facets.cameras, facets.folders, facets.orientations].map {
            "\($0)"
        }
            + EntryOrder.allCases.map { order in
                "\(try forward.ids(where: [], by: order).map { try forward.entry($0).size })"
            }
    }

    @Test("A commit reads no other entry, and compacting gives old segments their columns")
    func independence() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            var generator = SeededGenerator(seed: 7)
            let index = folder.appending("index")
            try Self.make(index, &generator)
            let files = IndexFiles(index)
            try files.removeTables { $0 == 0 }
            let names = try files.segments().map(\.lastPathComponent)
            try ForwardIndex.compact(index, segmentByteCount: 1)
            // The last segments have tables, and no removed rows.
            #expect(try !files.segments().map(\.lastPathComponent).contains(names[0]))
            #expect(try files.segments().map(\.lastPathComponent).contains(names[1]))
            // Neither conditions nor keys need the entries of a segment with columns.
            let forward = try ForwardIndex(index)
            let sought = try forward.entry(forward.ids[20]).path
            let place = try #require(try files.segments().last)
            try files.change(place) { bytes in
                while let found = bytes.range(of: Data("\"path\"".utf8)) {
                    bytes[found.lowerBound] = 0x01
                }
            }
            let damaged = try ForwardIndex(index)
            #expect(try damaged.count(where: [MetadataFilter("size", .atLeast, "0")]) > 300)
            #expect(try EntryLocator().find(EntryKey(sought), in: damaged) != nil)
        }
    }

    @Test("Columns that contradict the entries or lie outside the file are damage")
    func damage() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            try SyntheticIndex.append(SyntheticIndex.features(9, seed: 1), first: 0, to: index) {
                ["number": .number(Double($0))]
            }
            let file = try #require(try IndexFiles(index).segments().first)
            for (from, to) in [
                ("\"rows\":9", "\"rows\":8"), ("\"form\":\"int32\"", "\"form\":\"int31\""),
                ("\"offset\":0,", "\"offset\":4,"), ("\"count\":1,", "\"count\":9,"),
            ] {
                let whole = try Data(contentsOf: file)
                try IndexFiles(index).change(file) { bytes in
                    let place = try #require(bytes.range(of: Data(from.utf8)), "\(from)")
                    bytes.replaceSubrange(place, with: Data(to.utf8))
                }
                let filters = [MetadataFilter("number", .less, "5")]
                let error = #expect(throws: IndexError.self, "\(to)") {
                    _ = try ForwardIndex(index).count(where: filters)
                    _ = try ForwardIndex(index).count(where: [MetadataFilter("folder", .less, "5")])
                }
                #expect(error?.description.contains(file.lastPathComponent) == true)
                #expect(try ForwardIndex.verify(index).count == 1)
                try whole.write(to: file)
            }
        }
    }
}
