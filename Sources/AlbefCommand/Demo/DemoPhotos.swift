import ArgumentParser
import Foundation
import Retrieval
import SystemPackage

/// The photos of the demonstration and what it asks them for.
struct DemoPhotos {
    /// What is asked where nobody asks anything else; the last one names what `photos` never learned.
    static let everyday = [
        "a dog", "snowy mountains", "flowers in a field", "草地上的马", "树林中的河流", "a castle",
    ]

    /// The photos, as the file system has them.
    let scan: FolderScan
    let queries: [String]
    /// The index; that of an earlier demonstration is brought up to date.
    private let index: FilePath

    /// Looks for photos.
    ///
    /// - Parameters:
    ///   - folder: where they are; nil for those that come with the program.
    ///   - queries: what to ask; none for ``everyday``.
    ///   - directory: the demonstration's.
    /// - Throws: `ValidationError` if there are none; `FolderError` if the folder cannot be read.
    init(_ folder: String?, queries: [String], directory: FilePath) throws {
        guard
            let folder = folder.map({ FilePath($0) })
                ?? ProgramResources.folder("Photos", of: "AlbefCommand")
        else {
            throw ValidationError(
                "the program was copied without its photos; name a folder of your own by --photos.")
        }
        scan = try FolderScan(folder)
        if scan.files.isEmpty {
            throw ValidationError("there are no images in \(folder.displayed).")
        }
        self.queries = queries.isEmpty ? Self.everyday : queries
        index = directory.appending("photos-index")
    }

    /// Indexes the photos, and asks them.
    ///
    /// - Parameters:
    ///   - candidates: how many are re-ranked.
    ///   - progress: gets how many of how many photos are done.
    /// - Throws: what indexing and searching throw; `CancellationError`.
    func answers(
        _ model: SearchModel, candidates: Int, progress: (Int, Int) -> Void
    ) async throws -> [DemoPhotoAnswer] {
        try removeIndexOfOthers(model)
        let report = try await Indexer(model).update(index, with: scan) {
            progress($0.done, $0.total)
        }
        if report.wasCancelled { throw CancellationError() }
        for failure in report.failures.prefix(3) {
            Console.note("skipped \(failure.path.displayed): \(failure.reason)")
        }
        let searcher = try Searcher(model, ForwardIndex(index))
        return try queries.map { query in
            try Task.checkCancellation()
            return try DemoPhotoAnswer(
                query, searcher, candidates: model.matches ? candidates : 0)
        }
    }

    /// Removes the index that an earlier demonstration made with another model.
    private func removeIndexOfOthers(_ model: SearchModel) throws {
        guard let old = try? ForwardIndex(index), (try? Searcher(model, old)) == nil else { return }
        try FileManager.default.removeItem(atPath: index.string)
    }

    /// A photo's path inside the folder.
    func name(of path: FilePath) -> FilePath {
        var name = path
        _ = name.removePrefix(scan.root)
        return name.isEmpty ? path : name
    }
}

/// What a query brought, by the towers alone and re-ranked.
struct DemoPhotoAnswer {
    static let depth = 5

    let query: String
    let before: [SearchResult]
    let after: SearchAnswer

    init(_ query: String, _ searcher: Searcher, candidates: Int) throws {
        func answer(_ candidates: Int) throws -> SearchAnswer {
            try searcher.search(
                .text(query), SearchOptions(count: Self.depth, candidates: candidates))
        }
        self.query = query
        before = try answer(0).results
        after = try answer(candidates)
    }

    /// Whether the fusion encoder read anything.
    var isReranked: Bool { after.reranked > 0 }

    /// The first places, with the photos' names in their folder.
    func text(_ photos: DemoPhotos) -> String {
        var lines = ["『\(query.displayed)』  (\(photos.scan.files.count) photos)"]
        lines += SearchOutput.warnings(of: after).map { "  \($0)" }
        lines.append("  rank   match   photo")
        for result in after.results {
            let match = result.matchProbability.map { String(format: "%5.1f %%", $0 * 100) }
            let moved = isReranked ? "  (was \(result.recallRank))" : ""
            lines.append(
                String(format: "  %4d  ", result.rank)
                    + "\(match ?? "      -")   \(photos.name(of: result.path).displayed)\(moved)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
