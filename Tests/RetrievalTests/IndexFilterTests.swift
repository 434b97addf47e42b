import Foundation
import ImageText
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Conditions over an index")
struct IndexFilterTests {
    private static let count = 700

    /// Metadata of many kinds, some of it too large to be kept in memory.
    private static func metadata(_ number: Int, isLarge: Bool) -> [String: MetadataValue] {
        var result: [String: MetadataValue] = ["number": .number(Double(number))]
        if number % 2 == 0 { result["place"] = .text(["Kyoto", "Łódź", "Rome"][number % 3]) }
        if number % 5 == 0 { result["new"] = .flag(number % 10 == 0) }
        if number % 3 == 0 { result["tags"] = .list(["a", "t\(number % 7)"]) }
        if isLarge {
            result["text"] = .text(String(repeating: "x\(number)", count: 200))
            result["name \(number)"] = .number(1)
        }
        return result
    }

    private static func about(_ number: Int) -> ImageFacts? {
        guard number % 4 > 0 else { return nil }
        var about = ImageFacts()
        if number % 3 > 0 {
            about.date = "200\(number % 7)-0\(1 + number % 9)-1\(number % 5)T10:00:00"
        }
        (about.width, about.height) = (30 + number % 3, 31)
        about.camera = "C \(number % 5)"
        return about
    }

    @Test("Entries by date, the undated last, and what they have in common")
    func orders() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(60, seed: 8)
            try SyntheticIndex.append(features, first: 0, to: index, about: Self.about)
            let forward = try ForwardIndex(index)
            let dates = (0..<60).map { Self.about($0)?.date }
            func numbers(_ order: EntryOrder, _ filters: String...) throws -> [Int] {
                try forward.ids(where: filters.compactMap { MetadataFilter($0) }, by: order)
                    .map { try forward.entry($0).size }
            }
            #expect(try numbers(.path) == Array(0..<60))
            let newest = try numbers(.date)
            let dated = newest.compactMap { dates[$0] }
            #expect(dated == dated.sorted(by: >) && Set(newest) == Set(0..<60))
            #expect(newest.suffix(60 - dated.count).allSatisfy { dates[$0] == nil })
            #expect(try numbers(.oldest).prefix(dated.count).map { dates[$0] } == dated.reversed())
            #expect(
                try numbers(.date, "camera=C 1")
                    == newest.filter { Self.about($0)?.camera == "C 1" })
            #expect(try forward.count(where: []) == 60)
            let facets = try forward.facets()
            #expect(facets.years.map(\.value) == facets.years.map(\.value).sorted(by: >))
            #expect(facets.years.reduce(0) { $0 + $1.count } == dated.count)
            #expect(facets.folders == [Facets.Value(value: "/images", count: 60)])
            #expect(facets.cameras.map(\.count) == facets.cameras.map(\.count).sorted(by: >))
        }
    }

    @Test(
        "Conditions are fulfilled by the entries whose metadata does, whether it is kept or read",
        arguments: [false, true])
    func sameAsEntries(_ isLarge: Bool) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(Self.count, seed: 8)
            for range in [0..<50, 50..<Self.count] {
                try SyntheticIndex.append(features[range], first: range.lowerBound, to: index) {
                    Self.metadata($0, isLarge: isLarge)
                } about: {
                    Self.about($0)
                }
            }
            _ = try ForwardIndex.remove(index, paths: ["/images/6.jpg"])
            let forward = try ForwardIndex(index)
            try forward.prepareFilters()
            let entries = (0..<Self.count).map { number in
                IndexEntry(
                    path: FilePath("/images/\(number).jpg"), size: number, modified: 0,
                    sha256: "", about: Self.about(number),
                    metadata: Self.metadata(number, isLarge: isLarge))
            }
            for conditions in [
                ["number>=100"], ["number<40", "place=Kyoto"], ["place!=Rome"], ["new=true"],
                ["tags=t3"], ["tags!=a"], ["tags>s"], ["nothing=1"], ["nothing!=1"], ["name 61=1"],
                ["name 61!=1", "number<65"], ["text>x600"], ["number=x"], ["number!=x"],
                ["date>=2003"], ["date<=2001-02"], ["camera=C 1", "width>30"], ["size<40"],
                ["orientation!=square"], ["folder=/images"], ["folder!=/images"],
            ] {
                let filters = conditions.compactMap { MetadataFilter($0) }
                let found = try forward.recall(features[0], count: Self.count, filters: filters)
                let numbers = try Set(found.map { try forward.entry($0.id).size })
                let expected = (0..<Self.count).filter { number in
                    number != 6
                        && filters.allSatisfy { $0(entries[number]) }
                }
                #expect(numbers == Set(expected), "\(conditions)")
            }
        }
    }

    @Test("A damaged entry is an error of a search with conditions, where a segment has no columns")
    func damagedEntry() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(20, seed: 8)
            try SyntheticIndex.append(features, first: 0, to: index) {
                Self.metadata($0, isLarge: false)
            }
            try IndexFiles(index).removeTables()
            let file = try #require(try IndexFiles(index).segments().first)
            try IndexFiles(index).change(file) { bytes in
                let place = try #require(bytes.range(of: Data("\"metadata\"".utf8)))
                bytes[place.lowerBound] = 0x01
            }
            let filters = [MetadataFilter("number", .less, "5")]
            let error = #expect(throws: IndexError.self) {
                try ForwardIndex(index).recall(features[0], count: 3, filters: filters)
            }
            #expect(error?.description.contains(file.lastPathComponent) == true)
        }
    }
}
