import ArgumentParser
import CommandSupport
import Foundation
import Retrieval
import SystemPackage

/// The photographs of the demonstration, and the queries for them.
struct DemoPhotos {
    /// The default queries; the model `photos` never learned what the last one names.
    static let everyday = [
        "a dog", "snowy mountains", "flowers in a field", "草地上的马", "树林中的河流", "a castle",
    ]

    /// The images in the folder.
    let scan: FolderScan
    let queries: [String]
    /// The index; one of an earlier demonstration is updated.
    private let index: FilePath

    /// Finds the photographs in a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder; nil for the one that comes with the program.
    ///   - queries: the queries; ``everyday`` if empty.
    ///   - directory: where the demonstration keeps its files.
    /// - Throws: `ValidationError` if the folder has no images; `FolderError` if it cannot be read.
    init(_ folder: String?, queries: [String], directory: FilePath) throws {
        guard
            let folder = folder.map({ FilePath($0) })
                ?? ProgramResources.path("Photos", of: "Demo")
        else {
            throw ValidationError(
                "the photographs that come with the program are missing; name your own folder with"
                    + " --photos.")
        }
        scan = try FolderScan(folder)
        if scan.files.isEmpty {
            throw ValidationError(
                "\(folder.displayed) has no images; name another folder with --photos.")
        }
        self.queries = queries.isEmpty ? Self.everyday : queries
        index = directory.appending("photos-index")
    }

    /// Indexes the photographs, and searches them with every query.
    ///
    /// - Parameters:
    ///   - candidates: how many candidates to re-rank.
    ///   - progress: receives the number of photographs that are done, and of all.
    /// - Throws: Errors of indexing and searching; `CancellationError`.
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

    /// Returns a photograph's path relative to the folder.
    func name(of path: FilePath) -> FilePath {
        var name = path
        _ = name.removePrefix(scan.root)
        return name.isEmpty ? path : name
    }
}

/// The results of a query, by the towers alone and re-ranked.
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

    /// Whether the fusion encoder re-ranked any result.
    var isReranked: Bool { after.reranked > 0 }

    /// Formats the first results, with file names relative to the folder.
    func text(_ photos: DemoPhotos) -> String {
        var lines = ["『\(query.displayed)』  (\(photos.scan.files.count) photographs)"]
        lines += SearchOutput.warnings(of: after).map { "  \($0)" }
        lines.append("  rank   match   image")
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
