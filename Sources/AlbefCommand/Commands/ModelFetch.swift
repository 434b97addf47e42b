import Downloads
import ALBEF
import ArgumentParser
import Foundation
import Retrieval
import Synchronization
import SystemPackage

/// Turns the name of a model into files on disk, fetching them the first time.
struct ModelFetch: Sendable {
    /// Where models are kept.
    var cache = ModelCache()
    /// A mirror that comes before those of the environment.
    var mirror: URL?
    /// Gets remarks; nil: standard error does.
    var note: (@Sendable (String) -> Void)?

    /// The model directory that a name or path means.
    ///
    /// - Parameter ability: what the model is wanted for.
    /// - Throws: an error that names near names, or says what went wrong with fetching it.
    func model(
        _ name: String, for ability: ModelCatalog.Ability = .search
    ) async throws -> FilePath {
        switch try ModelReference(name) {
        case .directory(let path): return path
        case .published(let entry):
            if let path = cache.model(entry) { return path }
            let catalog = try catalog()
            return try await prepare(catalog.entry(named: entry.name, for: ability), catalog)
        }
    }

    /// The file or folder of a tower that a name or path means.
    ///
    /// - Throws: as ``model(_:for:)``.
    func tower(_ name: String) async throws -> FilePath {
        switch try ModelReference(name) {
        case .directory(let path): return path
        case .published(let entry):
            if let path = cache.files(entry) { return path }
            let found = try catalog().entry(named: entry.name, for: .start)
            guard found.isFolder else {
                throw ValidationError(
                    "'\(name)' has both encoders and their fusion: 'albef pretrain --set"
                        + " model.start=…' goes on training what 'albef models pull \(name)' prints."
                )
            }
            return try await files(found)
        }
    }

    /// The model directory of an entry.
    func prepare(_ entry: ModelCatalog.Entry, _ catalog: ModelCatalog) async throws -> FilePath {
        if let path = cache.model(entry) { return path }
        return try await watching(entry, cache) { cache, report in
            try await cache.prepare(entry, from: catalog, progress: report)
        }
    }

    /// The folder of an entry's files.
    func files(_ entry: ModelCatalog.Entry) async throws -> FilePath {
        if let path = cache.files(entry) { return path }
        return try await watching(entry, cache) { cache, report in
            try await cache.fetch(entry, progress: report)
        }
    }

    /// Fetches the files of an entry into a folder of one's own.
    func files(
        _ entry: ModelCatalog.Entry, into folder: FilePath
    ) async throws -> [DownloadedFile] {
        try await watching(entry, cache) { cache, report in
            try await cache.downloader.download(entry, into: folder) { report(.downloading($0)) }
        }
    }

    /// The catalogue with the addresses to fetch from.
    func catalog() throws -> ModelCatalog {
        guard let mirror else { return try ModelCatalog.published.fetched() }
        return ModelCatalog.published.mirrored(at: mirror)
    }

    /// Shows how far a download is, and ends it cleanly on Ctrl-C.
    private func watching<Result: Sendable>(
        _ entry: ModelCatalog.Entry, _ cache: ModelCache,
        _ body:
            @escaping @Sendable (ModelCache, @escaping @Sendable (ModelProgress) -> Void)
            async throws -> Result
    ) async throws -> Result {
        let tell = note ?? { Console.note($0) }
        // Whoever takes the remarks elsewhere wants no lines of a bar among them.
        let isShown = note == nil || Console.isInteractive
        return try await Interrupts.cancelling("stopping; the next time continues from here") {
            let bar = Mutex(ProgressBar(entry.name, unit: "MB"))
            let last = Mutex(ModelProgress?.none)
            defer { bar.withLock { $0.finish() } }
            return try await body(cache) { step in
                let isFirst = last.withLock { last in
                    defer { last = step }
                    return last?.isDownloading != true
                }
                switch step {
                case .waiting:
                    tell("note: another process is fetching \(entry.name); waiting for it")
                case .importing:
                    bar.withLock { $0.finish() }
                    tell("note: importing \(entry.name), once")
                case .downloading(let bytes):
                    if isFirst {
                        tell(
                            "note: fetching \(entry.name), about \(ByteCount.text(entry.downloadSize))"
                                + ", once (licence: \(entry.licence))")
                    }
                    guard isShown, let total = bytes.total else { return }
                    bar.withLock { $0.show(Int(bytes.received >> 20), of: Int(total >> 20)) }
                }
            }
        }
    }
}

extension ModelProgress {
    fileprivate var isDownloading: Bool {
        if case .downloading = self { true } else { false }
    }
}

/// Bytes as people say them.
enum ByteCount {
    /// `838 MB`, `1.8 GB`, `0.2 MB`.
    static func text(_ bytes: Int64) -> String {
        let mega = Double(bytes) / 1e6
        if mega >= 999.5 { return String(format: "%.1f GB", mega / 1e3) }
        return String(format: mega >= 9.5 ? "%.0f MB" : "%.1f MB", mega)
    }
}
