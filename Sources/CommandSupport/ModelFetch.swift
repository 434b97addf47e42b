import ALBEF
import ArgumentParser
package import Downloads
package import Foundation
import Retrieval
import Synchronization
package import SystemPackage

/// Resolves the name of a model to files on disk, and fetches them on first use.
package struct ModelFetch: Sendable {
    /// The cache of fetched models.
    package var cache: ModelCache
    /// A mirror that overrides those of the environment.
    package var mirror: URL?
    /// Receives remarks; if nil, they go to standard error.
    package var note: (@Sendable (String) -> Void)?

    package init(
        cache: ModelCache = ModelCache(), mirror: URL? = nil,
        note: (@Sendable (String) -> Void)? = nil
    ) {
        self.cache = cache
        self.mirror = mirror
        self.note = note
    }

    /// Returns the model directory that a name or path stands for, and fetches it if it is missing.
    ///
    /// - Parameter ability: what the model must be able to do.
    /// - Throws: An error that suggests similar names, or describes why the download failed.
    package func model(
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

    /// Returns the file or folder of a tower that a name or path stands for, and fetches it if it
    /// is missing.
    ///
    /// - Throws: The errors of ``model(_:for:)``.
    package func tower(_ name: String) async throws -> FilePath {
        switch try ModelReference(name) {
        case .directory(let path): return path
        case .published(let entry):
            if let path = cache.files(entry) { return path }
            let found = try catalog().entry(named: entry.name, for: .start)
            guard found.isFolder else {
                throw ValidationError(
                    "'\(name)' is a whole model, not a tower; 'albef pretrain --set model.start=…'"
                        + " trains the directory that 'albef models pull \(name)' prints."
                )
            }
            return try await files(found)
        }
    }

    /// Returns the model directory of an entry, and fetches it if it is missing.
    package func prepare(_ entry: ModelCatalog.Entry, _ catalog: ModelCatalog) async throws
        -> FilePath
    {
        if let path = cache.model(entry) { return path }
        return try await watching(entry, cache) { cache, report in
            try await cache.prepare(entry, from: catalog, progress: report)
        }
    }

    /// Returns the folder of an entry's files, and fetches them if they are missing.
    package func files(_ entry: ModelCatalog.Entry) async throws -> FilePath {
        if let path = cache.files(entry) { return path }
        return try await watching(entry, cache) { cache, report in
            try await cache.fetch(entry, progress: report)
        }
    }

    /// Fetches the files of an entry into a folder outside the cache.
    package func files(
        _ entry: ModelCatalog.Entry, into folder: FilePath
    ) async throws -> [DownloadedFile] {
        try await watching(entry, cache) { cache, report in
            try await cache.downloader.download(entry, into: folder) { report(.downloading($0)) }
        }
    }

    /// Returns the catalogue with the addresses to fetch from.
    package func catalog() throws -> ModelCatalog {
        guard let mirror else { return try ModelCatalog.published.fetched() }
        return ModelCatalog.published.mirrored(at: mirror)
    }

    /// Shows the progress of a download, and ends it cleanly on Ctrl-C.
    private func watching<Result: Sendable>(
        _ entry: ModelCatalog.Entry, _ cache: ModelCache,
        _ body:
            @escaping @Sendable (ModelCache, @escaping @Sendable (ModelProgress) -> Void)
            async throws -> Result
    ) async throws -> Result {
        let tell = note ?? { Console.note($0) }
        // A log that receives the remarks should not contain the lines of a bar.
        let isShown = note == nil || Console.isInteractive
        return try await Interrupts.cancelling("stopping; the next download resumes here") {
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

/// Formats sizes for people.
package enum ByteCount {
    /// Returns a size such as `838 MB`, `1.8 GB` or `0.2 MB`.
    package static func text(_ bytes: Int64) -> String {
        let mega = Double(bytes) / 1e6
        if mega >= 999.5 { return String(format: "%.1f GB", mega / 1e3) }
        return String(format: mega >= 9.5 ? "%.0f MB" : "%.1f MB", mega)
    }
}
