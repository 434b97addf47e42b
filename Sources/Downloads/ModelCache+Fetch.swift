import Storage
import Foundation
public import SystemPackage

/// How far the making of a model in the cache has come.
public enum ModelProgress: Sendable, Hashable {
    /// Another process or task is fetching the same entry.
    case waiting
    /// Bytes of all files together.
    case downloading(DownloadProgress)
    /// All files are there; the model directory is being made of them.
    case importing
}

extension ModelCache {
    /// The model directory of an entry: at once if it is there, else fetched, checked and imported.
    ///
    /// Of several processes and tasks that ask at once one does the work, and the others wait. The
    /// files are removed once they are imported, but for their digests. Whatever has been fetched
    /// when it fails or is cancelled is there for the next call.
    ///
    /// - Parameters:
    ///   - entry: the name is what the cache knows it by; the addresses are those to fetch from.
    ///   - catalog: where its vocabulary is found, if that is an entry of its own.
    ///   - progress: called from any thread.
    /// - Throws: ``DownloadError``, ``ModelFileError``, ``ModelCacheError``, `FileError`, or
    ///   `CancellationError` when the task is cancelled.
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

    /// The folder of an entry's files: at once if they are there, else fetched and checked.
    ///
    /// - Parameter progress: called from any thread.
    /// - Throws: ``DownloadError``, ``ModelCacheError``, or `CancellationError` when the task is
    ///   cancelled; what has been received stays on disk for the next call.
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

    /// The vocabulary that an entry shares with others.
    private func vocabulary(
        of entry: ModelCatalog.Entry, from catalog: ModelCatalog
    ) async throws -> FilePath? {
        guard let name = entry.vocabulary else { return nil }
        let vocabulary = try catalog.entry(named: name)
        let folder = try await fetch(vocabulary)
        return vocabulary.parts.first?.alternatives.first.map { folder.appending($0.name) }
    }

    /// Runs `body` while nobody else works on an entry.
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

    /// Leaves the digests, by which another download of the same files is checked.
    private static func removeFiles(of entry: ModelCatalog.Entry, in folder: FilePath) {
        for file in entry.parts.flatMap(\.alternatives) {
            try? FileManager.default.removeItem(atPath: folder.appending(file.name).string)
        }
    }
}
