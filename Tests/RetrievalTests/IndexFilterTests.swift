import Foundation
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
                }
            }
            _ = try ForwardIndex.remove(index, paths: ["/pictures/6.jpg"])
            let forward = try ForwardIndex(index)
            try forward.prepareFilters()
            for conditions in [
                ["number>=100"], ["number<40", "place=Kyoto"], ["place!=Rome"], ["new=true"],
                ["tags=t3"], ["tags!=a"], ["tags>s"], ["nothing=1"], ["nothing!=1"], ["name 61=1"],
                ["name 61!=1", "number<65"], ["text>x600"], ["number=x"], ["number!=x"],
            ] {
                let filters = conditions.compactMap { MetadataFilter($0) }
                let found = try forward.recall(features[0], count: Self.count, filters: filters)
                let numbers = try Set(found.map { try forward.entry($0.id).size })
                let expected = (0..<Self.count).filter { number in
                    number != 6
                        && filters.allSatisfy { $0(Self.metadata(number, isLarge: isLarge)) }
                }
                #expect(numbers == Set(expected), "\(conditions)")
            }
        }
    }

    @Test("A damaged entry is an error of a search with conditions")
    func damagedEntry() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(20, seed: 8)
            try SyntheticIndex.append(features, first: 0, to: index) {
                Self.metadata($0, isLarge: false)
            }
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
