import Foundation
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Damage, and the way back")
struct IndexDamageTests {
    /// An index of three segments: 4, 3 and 5 entries.
    private func withIndex(_ body: (FilePath, IndexFiles) throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let index = folder.appending("index")
            let features = try SyntheticIndex.features(12, seed: 2)
            for range in [0..<4, 4..<7, 7..<12] {
                try SyntheticIndex.append(features[range], first: range.lowerBound, to: index)
            }
            try body(index, IndexFiles(index))
        }
    }

    private func numbers(_ index: FilePath) throws -> [Int] {
        let forward = try ForwardIndex(index)
        return try forward.ids.map { try forward.entry($0).size }
    }

    @Test("An index that lost a segment says what to do, and doing it keeps the rest")
    func lostSegment() async throws {
        try await withIndex { index, files in
            _ = try ForwardIndex.remove(index, paths: ["/images/5.jpg"])
            try FileManager.default.removeItem(at: files.segments()[1])
            let error = #expect(throws: IndexError.self) { try ForwardIndex(index) }
            let text = try #require(error?.description)
            #expect(text.contains("missing") && text.contains("albef index repair \(index)"))
            let report = try ForwardIndex.repair(index)
            #expect(report.dropped == 2 && report.left == 9 && report.damage.count == 1)
            #expect(try numbers(index) == [0, 1, 2, 3, 7, 8, 9, 10, 11])
            #expect(try ForwardIndex.verify(index).isEmpty)
            // Nothing is left to do, so nothing is done.
            let generation = try ForwardIndex(index).generation
            let again = try ForwardIndex.repair(index)
            #expect(again.damage.isEmpty && again.dropped == 0 && again.left == 9)
            #expect(try ForwardIndex(index).generation == generation)
        }
    }

    @Test("A segment whose bytes changed is dropped too, and the graph follows what is left")
    func changedSegment() async throws {
        try await withIndex { index, files in
            try ForwardIndex.makeGraph(index)
            try files.change(files.segments()[0]) { $0[$0.count - 3] ^= 1 }
            let report = try ForwardIndex.repair(index)
            #expect(report.dropped == 4 && report.left == 8 && !report.droppedGraph)
            #expect(try files.segments().count == 2)
            let forward = try ForwardIndex(index)
            #expect(forward.statistics.graphRows == 8)
            let query = try forward.features([forward.ids[3]])[0]
            let found = try forward.recall(query, count: 8, method: .graph)
            #expect(try found == forward.recall(query, count: 8, method: .exact))
            #expect(found.count == 8)
            try files.change(files.graph()) { $0[200] ^= 1 }
            #expect(try ForwardIndex.repair(index).droppedGraph)
            #expect(try ForwardIndex(index).statistics.graphRows == nil)
        }
    }

    @Test(
        "A manifest that is empty or half says that the index has to be made anew",
        arguments: ["", "{\"format\" : 2", "[]"])
    func badManifest(_ text: String) async throws {
        try await withIndex { index, files in
            try Data(text.utf8).write(to: files.manifest)
            let calls: [() throws -> Void] = [
                { _ = try ForwardIndex(index) }, { _ = try ForwardIndex.repair(index) },
            ]
            for call in calls {
                let error = #expect(throws: IndexError.self) { try call() }
                let text = try #require(error?.description)
                #expect(text.contains("manifest.json") && text.contains("delete \(index)"))
            }
            #expect(try files.segments().count == 3)
        }
    }

    @Test(
        "Numbers in a manifest that cannot be are damage, not a crash",
        arguments: [
            ("\"embedding_width\" : 40", "\"embedding_width\" : 0"),
            ("\"embedding_width\" : 40", "\"embedding_width\" : 9223372036854775807"),
            ("\"generation\" : 3", "\"generation\" : 9223372036854775807"),
            ("\"count\" : 3,", "\"count\" : -3,"), ("\"removed\" : [", "\"removed\" : [ 77"),
        ])
    func impossibleNumbers(_ old: String, _ new: String) async throws {
        try await withIndex { index, files in
            let text = try String(contentsOf: files.manifest, encoding: .utf8)
            try text.replacing(old, with: new).write(
                to: files.manifest, atomically: true, encoding: .utf8)
            #expect(try String(contentsOf: files.manifest, encoding: .utf8) != text)
            #expect(throws: IndexError.self) { try ForwardIndex(index) }
        }
    }

    @Test(
        "A manifest cannot name files outside its index",
        arguments: ["../../secret", "/etc/passwd", "..", "", "a/b", "a\u{0}b"])
    func namesOutside(_ name: String) async throws {
        try await withIndex { index, files in
            try ForwardIndex.makeGraph(index)
            let whole = try Data(contentsOf: files.manifest)
            for isGraph in [false, true] {
                var document = try #require(
                    try JSONSerialization.jsonObject(with: whole) as? [String: Any])
                if isGraph {
                    var graph = try #require(document["recall_graph"] as? [String: Any])
                    graph["name"] = name
                    document["recall_graph"] = graph
                } else {
                    var segments = try #require(document["segments"] as? [[String: Any]])
                    segments[1]["name"] = name
                    document["segments"] = segments
                }
                try JSONSerialization.data(withJSONObject: document).write(to: files.manifest)
                let calls: [() throws -> Void] = [
                    { _ = try ForwardIndex(index) }, { _ = try ForwardIndex.repair(index) },
                ]
                for call in calls {
                    let error = #expect(throws: IndexError.self) { try call() }
                    let kind = isGraph ? "graph" : "segment"
                    #expect(error?.description.contains("is no name of a \(kind)") == true)
                }
            }
        }
    }

    @Test("An entry of another snapshot is an error, and of no entries there are no features")
    func strangeEntries() async throws {
        try await withIndex { index, _ in
            let before = try ForwardIndex(index)
            let last = try #require(before.ids.last)
            try ForwardIndex.compact(index)
            let after = try ForwardIndex(index)
            #expect(throws: IndexError.self) { try after.entry(last) }
            #expect(throws: IndexError.self) { try after.features([last]) }
            #expect(try before.entry(last).size == 11)
            #expect(try after.features([]).shape == [0, SyntheticIndex.width])
            #expect(after.ids(skipping: 10, count: 5) == Array(after.ids.suffix(2)))
            #expect(before.ids(skipping: 3, count: 6) == Array(before.ids[3..<9]))
        }
    }

    @Test("Of an index that was deleted and made anew, a locator finds the new entries")
    func madeAnew() async throws {
        try await withIndex { index, _ in
            let locator = EntryLocator()
            let old = EntryKey("/images/11.jpg")
            #expect(try locator.find(old, in: ForwardIndex(index)) != nil)
            try FileManager.default.removeItem(atPath: index.string)
            // The same names of files at the same generations, with other entries.
            let features = try SyntheticIndex.features(3, seed: 9)
            for number in 0..<3 {
                try SyntheticIndex.append(
                    features[number..<number + 1], first: 50 + number, to: index)
            }
            let forward = try ForwardIndex(index)
            #expect(try locator.find(old, in: forward) == nil)
            for number in 50..<53 {
                let id = try locator.find(
                    EntryKey(FilePath("/images/\(number).jpg")), in: forward)
                #expect(try forward.entry(#require(id)).size == number)
            }
        }
    }
}
