import Storage
import SystemPackage

/// The change of an index to another model.
///
/// A successor is built beside the index that searches use, and replaces it when it is complete.
struct ModelChange {
    /// The index.
    let directory: FilePath
    /// The model of the successor.
    let model: ModelSignature
    /// The tokens that the successor stores; nil for what the index stores.
    let budget: TokenBudget?
    /// Waits while other processes write to the index.
    let patience: LockPatience

    /// Builds the successor and replaces the index by it.
    ///
    /// - Parameters:
    ///   - onWait: Called when another process writes to the index.
    ///   - onLink: Called with the number of entries linked and the total, if a graph is built.
    ///   - build: Updates the successor, at the given path, from the old index and from new files.
    ///     It is called again if the old index has changed meanwhile.
    /// - Returns: The report of the last call, with the encoded and copied images of all calls.
    /// - Throws: The errors of `build`; ``IndexError``; an error of the file system. The successor
    ///   is kept for the next attempt.
    func run(
        onWait: () -> Void, onLink: (Int, Int) -> Void,
        build: (ForwardIndex, FilePath) async throws -> Indexer.Report
    ) async throws -> Indexer.Report {
        var (encoded, reused) = (0, 0)
        while true {
            let old = try await patience(onWait: onWait) {
                try ForwardIndex.beginSuccessor(directory, model, budget: budget)
            }
            // Another process may have finished the same change.
            if old.model.isSame(as: model) { return try await build(old, directory) }
            do {
                var report = try await build(old, IndexSuccessor.place(in: directory))
                encoded += report.encoded
                reused += report.reused
                (report.encoded, report.reused) = (encoded, reused)
                report.replaced = old.model.title
                if report.wasCancelled { return report }
                do {
                    try await patience(onWait: onWait) { try link(old, onLink) }
                } catch is CancellationError {
                    report.wasCancelled = true
                    return report
                }
                if try await patience(onWait: onWait, { try ForwardIndex.succeed(old) }) {
                    return report
                }
            } catch let error as IndexError {
                // If another process has finished the successor, its directory no longer exists.
                guard try ForwardIndex(directory).model.isSame(as: model) else { throw error }
            }
        }
    }

    /// Builds a graph for the successor if the old index has one.
    private func link(_ old: ForwardIndex, _ onLink: (Int, Int) -> Void) throws {
        let place = IndexSuccessor.place(in: directory)
        let next = try IndexManifest(directory: place)
        guard old.manifest.graph != nil, next.graphSegments != next.segments.count else { return }
        try ForwardIndex.makeGraph(place) { done, total in
            try Task.checkCancellation()
            onLink(done, total)
        }
    }
}

extension ForwardIndex {
    /// Returns whether naming a model means that this index is to be changed to it, which is so if
    /// the model has weights with which the index was not made.
    ///
    /// A caller that names only one of two models, or another image size, has probably made a
    /// mistake. An index that never had entries accepts any model, so it is not changed either.
    ///
    /// - Parameters:
    ///   - model: The named model.
    ///   - imageSize: Whether another image size is a deliberate change.
    package func isToChange(to model: ModelSignature, imageSize: Bool) -> Bool {
        guard generation > 0 || !manifest.segments.isEmpty else { return false }
        return !model.weights.isSubset(of: self.model.weights)
            || imageSize && model.imageSize != self.model.imageSize
    }

    /// Begins a successor of an index, or finds an existing one.
    ///
    /// - Returns: The index, which already has the new model if another process has changed it.
    fileprivate static func beginSuccessor(
        _ directory: FilePath, _ model: ModelSignature, budget: TokenBudget?
    ) throws -> ForwardIndex {
        let writer = try IndexWriter(directory, model: nil)
        if !writer.manifest.model.isSame(as: model) {
            try writer.beginSuccessor(model, budget: budget)
        }
        return try ForwardIndex(directory, manifest: writer.manifest)
    }

    /// Replaces an index by its successor.
    ///
    /// - Returns: False if the index has changed meanwhile.
    fileprivate static func succeed(_ old: ForwardIndex) throws -> Bool {
        let writer = try IndexWriter(old.directory, model: nil)
        guard writer.manifest == old.manifest else { return false }
        try writer.adoptSuccessor()
        return true
    }
}

/// The entries of a successor: the files of a folder, and the other entries of the old index.
struct Inheritance {
    /// All files, as a scan of the whole file system.
    let scan: FolderScan
    /// The metadata to store with the files.
    let metadata: [FilePath: [String: MetadataValue]]
    /// The number of entries in the old index whose files were deleted.
    private(set) var removed = 0

    /// Combines a folder and an old index.
    ///
    /// Entries outside the folder, such as those of other folders and of a service's uploads, are
    /// encoded from their files. If such a file was deleted, its entry is dropped. If its whole
    /// folder is missing, for example on a disk that is not mounted, the folder may return, so this
    /// throws an error instead.
    ///
    /// - Parameters:
    ///   - folder: The scan of the folder.
    ///   - old: The index to be replaced.
    ///   - notes: New metadata of images; all other entries keep their metadata.
    /// - Throws: ``FolderError`` if files are missing with their folders; ``IndexError`` if an
    ///   entry is damaged.
    /// - Complexity: O(n + f) for n entries and f files, with one file system call for each entry
    ///   outside the folder.
    init(
        _ folder: FolderScan, _ old: ForwardIndex, notes: [FilePath: [String: MetadataValue]]
    ) throws {
        let (present, isCovered) = (Set(folder.files.map(\.path)), folder.covers)
        var (files, metadata) = (folder.files, notes)
        var away: (count: Int, first: FilePath, reason: Errno)?
        for id in old.ids {
            let entry = try old.entry(id)
            if metadata[entry.path] == nil { metadata[entry.path] = entry.metadata }
            if present.contains(entry.path) { continue }
            if isCovered(entry.path) {
                removed += 1
                continue
            }
            do throws(Errno) {
                files.append(try FolderScan.File(entry.path))
            } catch {
                let parent = entry.path.removingLastComponent()
                if error == .noSuchFileOrDirectory, (try? FolderScan.File(parent)) != nil {
                    removed += 1
                } else {
                    away = ((away?.count ?? 0) + 1, away?.first ?? entry.path, error)
                }
            }
        }
        if let away {
            throw FolderError.away(old.directory, away.count, away.first, away.reason)
        }
        scan = FolderScan(
            everywhere: files.sorted { FilePath.precedes($0.path, $1.path) }, folder.failures)
        self.metadata = metadata
    }
}
