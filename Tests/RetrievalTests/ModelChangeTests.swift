import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("A change of an index to another model", .oneModelAndTwo)
struct ModelChangeTests {
    @Test("All entries, what is noted of them, the settings and the graph are taken along")
    func whole() async throws {
        try await ModelChangeFixture.with { fixture in
            try ForwardIndex.makeGraph(fixture.index)
            let before = try ForwardIndex(fixture.index)
            let titles = Mutex<Set<String?>>([])
            let report = try await fixture.change { progress in
                titles.withLock { _ = $0.insert(progress.replaced) }
            }
            #expect(report.encoded == 15 && report.removed == 0 && report.failures.isEmpty)
            #expect(report.replaced == fixture.old.signature.title && !report.wasCancelled)
            #expect(titles.withLock { $0 } == [fixture.old.signature.title])
            try await fixture.expect(fixture.new, fixture.all())
            let entries = try fixture.entries()
            #expect(
                entries[fixture.photos.appending("003.bmp")]?.metadata == ["year": .number(2003)])
            #expect(
                entries[fixture.elsewhere.appending("1.bmp")]?.metadata == ["name": .text("one")])
            let after = try ForwardIndex(fixture.index)
            #expect(after.budget == before.budget && after.generation == before.generation + 1)
            #expect(after.statistics.graphRows == 15 && after.graphFault == nil)
            #expect(after.model.source == fixture.new.source)
            // Nothing of the old index is left, nor of the change.
            let names = try FileManager.default.contentsOfDirectory(atPath: fixture.index.string)
            #expect(Set(names) == ["manifest.json", "segments", "lock"])
            let files = try IndexFiles(fixture.index)
            #expect(try files.segments().count == after.statistics.segments)
            #expect(try files.segments(".hnsw").count == 1)
            // It is an index like any other from here on.
            try fixture.write(200, fixture.photos.appending("new.bmp"))
            let next = try await fixture.change()
            #expect(next.encoded == 1 && next.unchanged == 12 && next.replaced == nil)
            try ForwardIndex.compact(fixture.index)
            try await fixture.expect(
                fixture.new, fixture.all() + [fixture.photos.appending("new.bmp")])
        }
    }

    @Test("Nothing is changed unless it is meant")
    func consent() async throws {
        try await ModelChangeFixture.with(3) { fixture in
            let before = try ForwardIndex(fixture.index).generation
            await #expect(throws: IndexError.self) {
                try await Indexer(fixture.new).update(fixture.index, with: fixture.photos)
            }
            // The same weights with a model or the size of the images left out.
            let smaller = try SearchModel(
                fixture.folder.appending("model"),
                recall: TinyModel.hasRecall ? fixture.folder.appending("recall") : nil,
                imageSize: 32)
            let alone = try SearchModel(fixture.folder.appending("model"))
            for model in [smaller] + (TinyModel.hasRecall ? [alone] : []) {
                await #expect(throws: IndexError.self) { try await fixture.change(to: model) }
            }
            #expect(try ForwardIndex(fixture.index).generation == before)
            #expect(IndexSuccessor(of: fixture.index) == nil)
            var options = Indexer.Options()
            options.changesImageSize = true
            options.changesModel = true
            let report = try await Indexer(smaller, options: options)
                .update(fixture.index, with: fixture.photos)
            #expect(report.encoded == 6)
            #expect(try ForwardIndex(fixture.index).model.imageSize == 32)
        }
    }

    @Test("Interrupted, the old index answers, and the next time goes on")
    func interrupted() async throws {
        try await ModelChangeFixture.with { fixture in
            try await fixture.beginChange(after: 6)
            let successor = try #require(IndexSuccessor(of: fixture.index))
            #expect(successor.model.isSame(as: fixture.new.signature))
            #expect(successor.directory == fixture.next)
            #expect((4..<15).contains(successor.count))
            try await fixture.expect(fixture.old, fixture.all())

            // The old model goes on keeping it up to date; what it does is taken over.
            try fixture.write(200, fixture.photos.appending("new.bmp"))
            try FileManager.default.removeItem(
                atPath: fixture.photos.appending("000.bmp").string)
            let kept = try await Indexer(fixture.old).update(fixture.index, with: fixture.photos)
            #expect(kept.encoded == 1 && kept.removed == 1)
            #expect(IndexSuccessor(of: fixture.index)?.count == successor.count)
            #expect(
                try ForwardIndex.remove(
                    fixture.index, paths: [fixture.elsewhere.appending("2.bmp")]) == 1)

            let report = try await fixture.change()
            #expect(report.encoded <= 14 - (successor.count - 2) && !report.wasCancelled)
            try await fixture.expect(
                fixture.new,
                fixture.all().filter {
                    $0 != fixture.photos.appending("000.bmp")
                        && $0 != fixture.elsewhere.appending("2.bmp")
                } + [fixture.photos.appending("new.bmp")])
            #expect(IndexSuccessor(of: fixture.index) == nil)
        }
    }

    @Test("What others change in the old index meanwhile is in the new one")
    func changedMeanwhile() async throws {
        try await ModelChangeFixture.with { fixture in
            let note = fixture.photos.appending("004.bmp")
            let place = fixture.elsewhere.appending("late.bmp")
            try fixture.write(210, place)
            let isDone = Mutex(false)
            let report = try await fixture.change { progress in
                guard progress.done == 6 else { return }
                let isFirst = isDone.withLock { isDone in
                    defer { isDone = true }
                    return !isDone
                }
                guard isFirst else { return }
                do {
                    var change = IndexChange()
                    let bytes = TinyImages.bitmap(210)
                    let file = try FolderScan(place).files[0]
                    let old = try #require(try fixture.entries()[note])
                    change.entries = [
                        IndexEntry(
                            path: place, size: bytes.count, modified: file.modified,
                            sha256: String(repeating: "ab", count: 32)),
                        IndexEntry(
                            path: note, size: old.size, modified: old.modified, sha256: old.sha256,
                            metadata: ["seen": .flag(true)]),
                    ]
                    change.encoded = try fixture.old.encode(
                        pixels: [
                            fixture.old.pixels(of: bytes, named: "late"),
                            fixture.old.pixels(of: note),
                        ])
                    change.removed = [fixture.photos.appending("001.bmp")]
                    _ = try ForwardIndex.apply(
                        change, to: fixture.index, model: fixture.old.signature,
                        locator: EntryLocator())
                } catch {
                    Issue.record(error)
                }
            }
            #expect(report.replaced != nil && isDone.withLock { $0 })
            #expect(try fixture.entries()[note]?.metadata == ["seen": .flag(true)])
            // What was removed from the index alone, the folder brings back, as it always does.
            try await fixture.expect(fixture.new, fixture.all() + [place])
        }
    }

    @Test("A third model, or other tokens, begin anew; deleting the folder gives the change up")
    func replaced() async throws {
        try await ModelChangeFixture.with { fixture in
            try await fixture.beginChange(after: 6)
            try TinyModel(seed: 3).write(to: fixture.folder.appending("third"))
            let third = try SearchModel(fixture.folder.appending("third"))
            try await fixture.beginChange(after: 4, to: third)
            #expect(IndexSuccessor(of: fixture.index)?.model.isSame(as: third.signature) == true)
            try FileManager.default.removeItem(atPath: fixture.next.string)
            #expect(IndexSuccessor(of: fixture.index) == nil)
            try await fixture.expect(fixture.old, fixture.all())

            try await fixture.beginChange(after: 6)
            let report = try await fixture.change(budget: TokenBudget(count: 0))
            #expect(report.encoded == 15)
            #expect(try ForwardIndex(fixture.index).budget == TokenBudget(count: 0))
            try await fixture.expect(fixture.new, fixture.all())
        }
    }

    @Test("Snapshots that are open answer on, and see the new index when they look")
    func readers() async throws {
        try await ModelChangeFixture.with { fixture in
            try ForwardIndex.makeGraph(fixture.index)
            let open = try ForwardIndex(fixture.index)
            let searcher = try Searcher(fixture.old, open)
            var exact = SearchOptions(count: 20, candidates: 20)
            exact.recall = .exact
            let before = try searcher.search(.text("two dogs"), exact).results
            _ = try await fixture.change { _ in
                // In the middle of it, and of the files that come and go.
                do {
                    #expect(
                        try Searcher(fixture.old, ForwardIndex(fixture.index))
                            .search("two dogs", count: 1).count == 1)
                } catch {
                    Issue.record(error)
                }
            }
            #expect(try searcher.search(.text("two dogs"), exact).results == before)
            // The graph was not read before its file was deleted.
            #expect(
                try searcher.search(.text("two dogs"), SearchOptions(count: 20)).notes.isEmpty)
            let now = try #require(try open.refreshed())
            #expect(now.model.isSame(as: fixture.new.signature))
            let error = #expect(throws: IndexError.self) { try Searcher(fixture.old, now) }
            #expect(error?.description.contains("other") == true)
            #expect(error?.description.contains("'albef index'") == true)
            #expect(
                try Searcher(fixture.new, now).search(.text("two dogs"), exact).results.count == 15)
        }
    }

    @Test("A folder that is away stops the change before anything is lost; deleted files do not")
    func away() async throws {
        try await ModelChangeFixture.with { fixture in
            let files = FileManager.default
            try files.removeItem(atPath: fixture.elsewhere.appending("0.bmp").string)
            let aside = fixture.folder.appending("aside").string
            try files.moveItem(atPath: fixture.elsewhere.string, toPath: aside)
            let error = await #expect(throws: FolderError.self) { try await fixture.change() }
            #expect(
                error?.description.contains(
                    "3 of its images must be encoded again but cannot be read") == true)
            try await fixture.expectCount(15, fixture.old)
            try files.moveItem(atPath: aside, toPath: fixture.elsewhere.string)
            let report = try await fixture.change()
            #expect(report.removed == 1 && report.encoded == 14)
            try await fixture.expect(
                fixture.new, fixture.all().filter { $0 != fixture.elsewhere.appending("0.bmp") })
        }
    }

    @Test("An image that cannot be read any more is reported, and is not in the new index")
    func unreadable() async throws {
        try await ModelChangeFixture.with { fixture in
            for path in [
                fixture.photos.appending("002.bmp"), fixture.elsewhere.appending("2.bmp"),
            ] {
                try Data("no image".utf8).write(to: URL(filePath: path.string))
            }
            let report = try await fixture.change()
            #expect(report.failures.count == 2 && report.encoded == 13)
            try await fixture.expectCount(13, fixture.new)
        }
    }

    /// What a kill between two steps of the switch leaves.
    @Test("Killed before the new manifest or after it, the index is one or the other")
    func halfDone() async throws {
        try await ModelChangeFixture.with { fixture in
            let files = FileManager.default
            // Before: the new files have their second names, which no manifest has.
            try await fixture.beginChange(after: 8)
            let forward = try ForwardIndex(fixture.index)
            for (number, file) in try IndexFiles(fixture.next).segments().enumerated() {
                let name = String(
                    format: "%08d-%d.safetensors", forward.generation + 1, number)
                try files.linkItem(
                    atPath: file.path,
                    toPath: fixture.index.appending("segments").appending(name).string)
            }
            try await fixture.expect(fixture.old, fixture.all())
            let copy = fixture.folder.appending("copy").string
            try files.copyItem(atPath: fixture.next.string, toPath: copy)
            let report = try await fixture.change()
            #expect(report.encoded < 15)
            try await fixture.expect(fixture.new, fixture.all())
            // After: what was built is still there, and no change any more.
            try files.moveItem(atPath: copy, toPath: fixture.next.string)
            try files.createDirectory(
                atPath: fixture.index.appending(".next.1").string,
                withIntermediateDirectories: true)
            #expect(IndexSuccessor(of: fixture.index) == nil)
            _ = try await fixture.change()
            let names = try files.contentsOfDirectory(atPath: fixture.index.string)
            #expect(!names.contains { $0.contains("next") })
            try await fixture.expect(fixture.new, fixture.all())
        }
    }

    @Test("Vectors of the old model do not get into the new index")
    func stale() async throws {
        try await ModelChangeFixture.with(3) { fixture in
            let bytes = TinyImages.bitmap(50)
            let pixels = try fixture.old.pixels(of: bytes, named: "it")
            #expect(throws: QueryError.self) { try fixture.new.encode(pixels: [pixels]) }
            #expect(throws: QueryError.self) {
                try Searcher(fixture.old, ForwardIndex(fixture.index)).search(
                    .image(.pixels(fixture.new.pixels(of: bytes, named: "it"))), SearchOptions())
            }
            var change = IndexChange()
            change.encoded = try fixture.old.encode(pixels: [pixels])
            change.entries = [
                IndexEntry(
                    path: "/it.bmp", size: 1, modified: 1,
                    sha256: String(repeating: "ab", count: 32))
            ]
            change.model = fixture.old.signature
            _ = try await fixture.change()
            #expect(throws: IndexError.self) {
                try ForwardIndex.apply(
                    change, to: fixture.index, model: fixture.new.signature,
                    locator: EntryLocator())
            }
        }
    }

    @Test("Texts are encoded anew from what the index says of them, whatever file they are of")
    func texts() async throws {
        try await ModelChangeFixture.with(1) { fixture in
            let index = fixture.folder.appending("texts")
            func file(_ name: String, _ lines: [String]) throws -> TextListFile {
                let path = fixture.folder.appending(name)
                try Data(lines.joined(separator: "\n").utf8).write(
                    to: URL(filePath: path.string))
                return try TextListFile(path)
            }
            let animals = try file("animals.txt", ["a dog", "two dogs", "a cat"])
            let things = try file(
                "things.jsonl", [#"{"text": "a red ball", "year": 1}"#, #"{"text": "a dog"}"#])
            for list in [animals, things] {
                _ = try await TextIndexer(fixture.old).update(index, with: list)
            }
            try FileManager.default.removeItem(atPath: things.path.string)
            await #expect(throws: IndexError.self) {
                try await TextIndexer(fixture.new).update(index, with: animals)
            }
            let shorter = try file("animals.txt", ["a dog", "a cat"])
            let report = try await TextIndexer(fixture.new, changesModel: true)
                .update(index, with: shorter)
            // A dog is there twice, the cat moved to another line.
            #expect(report.encoded == 3 && report.reused == 1 && report.removed == 1)
            #expect(report.replaced == fixture.old.signature.title)
            let forward = try ForwardIndex(index)
            #expect(forward.content == .texts && forward.count == 4)
            #expect(forward.model.isSame(as: fixture.new.signature))
            let found = try Searcher(fixture.new, forward).search(
                .text("a red ball"), SearchOptions(count: 1))
            #expect(found.results.first?.text == "a red ball")
            #expect(found.results.first?.metadata["year"] == .number(1))
        }
    }
}
