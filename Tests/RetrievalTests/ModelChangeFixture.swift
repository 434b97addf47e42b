import ALBEF
import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

/// Images in two folders, an index of both by one model, and another model.
struct ModelChangeFixture {
    let folder: FilePath
    let old: SearchModel
    let new: SearchModel
    let index: FilePath

    var photos: FilePath { folder.appending("photos") }
    var elsewhere: FilePath { folder.appending("elsewhere") }
    var next: FilePath { index.appending("next") }

    /// What `albef index` with `--model` does.
    func change(
        to model: SearchModel? = nil, budget: TokenBudget? = nil,
        metadata: [FilePath: [String: MetadataValue]] = [:],
        onProgress: (Indexer.Progress) -> Void = { _ in }
    ) async throws -> Indexer.Report {
        var options = Indexer.Options(batchSize: 2, commitInterval: 2, budget: budget)
        options.changesModel = true
        return try await Indexer(model ?? new, options: options).update(
            index, with: FolderScan(photos), metadata: metadata, onProgress: onProgress)
    }

    /// Begins the change, and stops after some images.
    func beginChange(after count: Int, to model: SearchModel? = nil) async throws {
        let report = try await Task {
            try await change(to: model) { progress in
                if progress.done >= count { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }.value
        #expect(report.wasCancelled && report.replaced == old.signature.title)
    }

    func write(_ seed: Int, _ path: FilePath) throws {
        try Data(TinyImages.bitmap(seed)).write(to: URL(filePath: path.string))
    }

    func entries() throws -> [FilePath: IndexEntry] {
        let forward = try ForwardIndex(index)
        let entries = try forward.ids.map(forward.entry)
        return Dictionary(entries.map { ($0.path, $0) }) { first, _ in
            Issue.record("\(first.path) is there twice")
            return first
        }
    }

    /// Checks that the index is of a model, holds some images, and answers as one that was made
    /// with that model from the beginning.
    func expect(_ model: SearchModel, _ paths: [FilePath]) async throws {
        let forward = try ForwardIndex(index)
        #expect(forward.model.isSame(as: model.signature))
        #expect(try Set(entries().keys) == Set(paths))
        #expect(try ForwardIndex.verify(index).isEmpty)
        let fresh = folder.appending("fresh-\(UInt32.random(in: 0 ... .max))")
        for path in paths {
            _ = try await Indexer(model, options: .init(budget: forward.budget))
                .update(fresh, with: path)
        }
        let options = SearchOptions(count: 100, candidates: 100)
        let found = try Searcher(model, forward).search(.text("two dogs"), options)
        let expected = try Searcher(model, ForwardIndex(fresh)).search(
            .text("two dogs"), options)
        let scores = Dictionary(
            uniqueKeysWithValues: expected.results.map { ($0.path, $0.similarity) })
        #expect(found.results.count == paths.count)
        for result in found.results {
            #expect(abs(result.similarity - (scores[result.path] ?? 9)) < 1e-5)
        }
    }

    /// The images of both folders, of which the first has `count`.
    func all(_ count: Int = 12) -> [FilePath] {
        (0..<count).map { photos.appending(String(format: "%03d.bmp", $0)) }
            + (0..<3).map { elsewhere.appending("\($0).bmp") }
    }

    /// Checks that the index is of a model, and how many images it holds.
    func expectCount(_ count: Int, _ model: SearchModel) async throws {
        let forward = try ForwardIndex(index)
        #expect(forward.count == count && forward.model.isSame(as: model.signature))
    }

    /// Makes the images, the index and the models in a folder, and removes them afterwards.
    static func with(
        _ count: Int = 12, _ body: (Self) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let folder = folder.absolute
            let old = try TinyModel.search(in: folder)
            try TinyModel(seed: 2).write(to: folder.appending("other"))
            try TinyModel.towers(seed: 9).write(to: folder.appending("other-recall"))
            let new = try SearchModel(
                folder.appending("other"),
                recall: TinyModel.hasRecall ? folder.appending("other-recall") : nil)
            let fixture = Self(
                folder: folder, old: old, new: new, index: folder.appending("index"))
            try TinyImages.write(count, to: fixture.photos)
            try FileManager.default.createDirectory(
                atPath: fixture.elsewhere.string, withIntermediateDirectories: true)
            for number in 0..<3 {
                try fixture.write(100 + number, fixture.elsewhere.appending("\(number).bmp"))
            }
            let notes = [
                fixture.photos.appending("003.bmp"): ["year": MetadataValue.number(2003)],
                fixture.elsewhere.appending("1.bmp"): ["name": .text("one")],
            ]
            let options = Indexer.Options(budget: TokenBudget(count: 6, precision: .int8))
            for folder in [fixture.photos, fixture.elsewhere] {
                _ = try await Indexer(old, options: options).update(
                    fixture.index, with: FolderScan(folder), metadata: notes)
            }
            try await body(fixture)
        }
    }
}
