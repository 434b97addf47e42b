import Storage
import SystemPackage

/// A change of an index to another model: a successor is built beside what searches use, and takes
/// its place when it has everything.
struct ModelChange {
    /// The index.
    let directory: FilePath
    /// What it is to be made with.
    let model: ModelSignature
    /// What the successor keeps of tokens; nil for what the index keeps.
    let budget: TokenBudget?
    /// Waits while others write.
    let patience: LockPatience

    /// Builds the successor and puts it in its place.
    ///
    /// - Parameters:
    ///   - onWait: called when another process writes to the index.
    ///   - onLink: called with the entries that are linked and all, where a graph is made.
    ///   - build: brings the successor, whose place it is given, in step with the old index and what
    ///     is new. It is called again if the old index has changed meanwhile.
    /// - Returns: the last report; what was encoded and copied is counted over all calls.
    /// - Throws: what `build` throws; ``IndexError``; an error of the file system. The successor
    ///   stays for the next time.
    func run(
        onWait: () -> Void, onLink: (Int, Int) -> Void,
        build: (ForwardIndex, FilePath) async throws -> Indexer.Report
    ) async throws -> Indexer.Report {
        var (encoded, reused) = (0, 0)
        while true {
            let old = try await patience(onWait: onWait) {
                try ForwardIndex.beginSuccessor(directory, model, budget: budget)
            }
            // Another process has finished the same change.
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
                // The successor is away under our hands if another process has finished it.
                guard try ForwardIndex(directory).model.isSame(as: model) else { throw error }
            }
        }
    }

    /// Makes a graph of the successor where the old index has one.
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
    /// Whether whoever names a model means this index to be changed to it: it has weights that the
    /// index was not made with.
    ///
    /// Who leaves out one of two models, or the size of the images, has forgotten it. Nor is an
    /// index changed that nothing was ever added to: it takes any model.
    ///
    /// - Parameter imageSize: whether another size of the images is meant as such.
    package func isToChange(to model: ModelSignature, imageSize: Bool) -> Bool {
        guard generation > 0 || !manifest.segments.isEmpty else { return false }
        return !model.weights.isSubset(of: self.model.weights)
            || imageSize && model.imageSize != self.model.imageSize
    }

    /// Begins a successor of an index, or finds it.
    ///
    /// - Returns: the index; it is of the model already if another process has changed it.
    fileprivate static func beginSuccessor(
        _ directory: FilePath, _ model: ModelSignature, budget: TokenBudget?
    ) throws -> ForwardIndex {
        let writer = try IndexWriter(directory, model: nil)
        if !writer.manifest.model.isSame(as: model) {
            try writer.beginSuccessor(model, budget: budget)
        }
        return try ForwardIndex(directory, manifest: writer.manifest)
    }

    /// Puts the successor in the place of an index.
    ///
    /// - Returns: false if the index is not any more as it was.
    fileprivate static func succeed(_ old: ForwardIndex) throws -> Bool {
        let writer = try IndexWriter(old.directory, model: nil)
        guard writer.manifest == old.manifest else { return false }
        try writer.adoptSuccessor()
        return true
    }
}

/// What a successor has to hold: what a folder has now, and of the rest what the old index has.
struct Inheritance {
    /// All files, as if the file system had been looked through for them.
    let scan: FolderScan
    /// What to note of them.
    let metadata: [FilePath: [String: MetadataValue]]
    /// Entries of the old index whose files were deleted.
    private(set) var removed = 0

    /// Puts together what there is.
    ///
    /// Entries elsewhere, such as those of other folders and of a service's uploads, are encoded
    /// from their files. A file that was deleted takes its entry along; one whose whole folder is
    /// away, such as on a disk that is not mounted, may come back, so nothing is done without it.
    ///
    /// - Parameters:
    ///   - folder: what was found in the folder.
    ///   - notes: what is given of images; the entries of all others keep what they say.
    /// - Throws: ``FolderError`` if files are away; ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n + f) for n entries and f files, and one call of the file system for each
    ///   entry elsewhere.
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
