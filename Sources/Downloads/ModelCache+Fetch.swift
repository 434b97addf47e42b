import Foundation
import Storage
public import SystemPackage

/// The progress of preparing a model in the cache.
public enum ModelProgress: Sendable, Hashable {
    /// Another process or task is fetching the same entry.
    case waiting
    /// The files are being downloaded; the numbers are those of all files together.
    case downloading(DownloadProgress)
    /// All files are complete, and the model directory is being created from them.
    case importing
}

extension ModelCache {
    /// Returns the model directory of an entry, and downloads and imports the model if necessary.
    ///
    /// If several processes or tasks call this at the same time, one of them does the work and the
    /// others wait. After the import, the downloaded files are removed, except their digests. If
    /// the call fails or is cancelled, the received bytes stay for the next call.
    ///
    /// - Parameters:
    ///   - entry: the entry; its name determines the place in the cache, its addresses the sources.
    ///   - catalog: the catalogue that has the entry's vocabulary; the published one by default.
    ///   - progress: a closure that receives the progress, on any thread.
    /// - Returns: the path of the model directory.
    /// - Throws: ``DownloadError``, `ModelFileError`, ``ModelCacheError``, `FileError`, or
    ///   `CancellationError` if the task is cancelled.
    public func prepare(
        _ entry: ModelCatalog.Entry, from catalog: ModelCatalog = .published,
        progress: @escaping @Sendable (ModelProgress) -> Void = { _ in }
    ) async throws -> FilePath {
        let place = place(of: entry)
        guard entry.isModel else { throw ModelCacheError(entry.name, place.path, .notAModel) }
        if let model = model(entry) { return model }
        return try await holding(entry, progress) {
            if let model = model(entry) { return model }
            let vocabulary = try await vocabulary(of: entry, from: catalog)
            let isKept = files(entry) != nil
            let source = isKept ? place.files : place.download
            if !isKept {
                _ = try await downloader.download(entry, into: source) { step in
                    progress(.downloading(step))
                }
            }
            try Task.checkCancellation()
            progress(.importing)
            try ModelImport.run(entry, in: source, vocabulary: vocabulary, to: place.model)
            if !isKept { Self.removeFiles(of: entry, in: source) }
            return place.model
        }
    }

    /// Returns the folder of an entry's files, and downloads and checks the files if necessary.
    ///
    /// - Parameters:
    ///   - entry: the entry; its name determines the place in the cache, its addresses the sources.
    ///   - progress: a closure that receives the progress, on any thread.
    /// - Throws: ``DownloadError``, ``ModelCacheError``, or `CancellationError` if the task is
    ///   cancelled. The received bytes stay on the disk for the next call.
    public func fetch(
        _ entry: ModelCatalog.Entry,
        progress: @escaping @Sendable (ModelProgress) -> Void = { _ in }
    ) async throws -> FilePath {
        if let files = files(entry) { return files }
        let place = place(of: entry)
        return try await holding(entry, progress) {
            if let files = files(entry) { return files }
            _ = try await downloader.download(entry, into: place.download) { step in
                progress(.downloading(step))
            }
            try FileSystem.rename(place.download, to: place.files)
            return place.files
        }
    }

    /// Returns the file of the vocabulary that an entry shares with others, if it has none itself.
    private func vocabulary(
        of entry: ModelCatalog.Entry, from catalog: ModelCatalog
    ) async throws -> FilePath? {
        guard let name = entry.vocabulary else { return nil }
        let vocabulary = try catalog.entry(named: name)
        let folder = try await fetch(vocabulary)
        return vocabulary.parts.first?.alternatives.first.map { folder.appending($0.name) }
    }

    /// Runs `body` while no other task or process works on an entry.
    private func holding<Result: Sendable>(
        _ entry: ModelCatalog.Entry, _ progress: @Sendable (ModelProgress) -> Void,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let place = place(of: entry)
        do {
            for folder in [place.path, place.lock.removingLastComponent()] {
                try FileManager.default.createDirectory(
                    atPath: folder.string, withIntermediateDirectories: true)
            }
        } catch {
            throw ModelCacheError(entry.name, folder, .storage(error.localizedDescription))
        }
        var isWaiting = false
        while true {
            try Task.checkCancellation()
            if let lock = try FolderLock(place.lock) {
                defer { lock.release() }
                return try await body()
            }
            if !isWaiting { progress(.waiting) }
            isWaiting = true
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Removes the files of an entry, but not their digests, which check the next download.
    private static func removeFiles(of entry: ModelCatalog.Entry, in folder: FilePath) {
        for file in entry.parts.flatMap(\.alternatives) {
            try? FileManager.default.removeItem(atPath: folder.appending(file.name).string)
        }
    }
}
