import Storage
public import SystemPackage
import Torch

/// The result of ``ForwardIndex/merge(_:into:allowsMissing:replaces:onProgress:)``.
public struct IndexMerge: Sendable, Hashable {
    /// The number of joined indexes.
    public internal(set) var sources = 0
    /// The number of entries in the merged index.
    public internal(set) var entries = 0
    /// The number of files that the merged index shares with the others, as hard links.
    public internal(set) var linked = 0
    /// The number of files that were copied, because no link was possible or their entries had
    /// been moved.
    public internal(set) var copied = 0
    /// Whether one of the joined indexes has a graph; the merged index has none.
    public internal(set) var droppedGraph = false
    /// Whether the index had been merged from the same indexes before, so that nothing was done.
    public internal(set) var wasDone = false
}

extension ForwardIndex {
    /// Joins indexes, such as the shards of a gallery, without rewriting their files.
    ///
    /// The merged index shares the files of the others by hard links; where a link is impossible,
    /// such as on another disk, they are copied and their checksums compared. The others stay as
    /// they are and may be deleted afterwards. Entries are in the order of the shards, and within
    /// each in the order of its commits. The merged index has no graph.
    ///
    /// The merged index appears in one step. If the process is killed, there is the former index or
    /// the merged one; if there was none, an index without entries may be left. Merging the same
    /// indexes again does nothing.
    ///
    /// - Parameters:
    ///   - sources: Indexes without common entries, or folders with the indexes of shards.
    ///   - directory: The merged index.
    ///   - allowsMissing: Whether shards may be missing or unfinished. Default: false.
    ///   - replaces: Whether the merged index may replace one that has entries. Default: false.
    ///   - onProgress: Called with the number of files done and the total; it may throw to stop.
    /// - Returns: What was joined.
    /// - Throws: ``IndexError`` if the indexes do not fit together, shards are missing, one of them
    ///   changes meanwhile, or `directory` has other entries; an error of the file system. The
    ///   index in `directory` is then unchanged.
    /// - Complexity: O(n log n) for n entries, of which those without keys are read; O(bytes) for
    ///   copies.
    public static func merge(
        _ sources: [FilePath], into directory: FilePath, allowsMissing: Bool = false,
        replaces: Bool = false, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> IndexMerge {
        let checked = try MergeSources(sources, allowsMissing: allowsMissing)
        let indexes = checked.indexes
        guard let first = indexes.first else { throw IndexError.missing(directory) }
        if let own = indexes.first(where: { $0.directory.absolute == directory.absolute }) {
            throw IndexError.unmergeable(
                own.directory, "cannot be merged into itself", advice: "name a new index")
        }
        let found = try IndexManifest.ifPresent(in: directory)
        var report = IndexMerge()
        report.sources = indexes.count
        report.entries = indexes.reduce(0) { $0 + $1.count }
        report.droppedGraph = indexes.contains { $0.manifest.graph != nil }
        if let found, found.holdsSame(as: indexes) {
            report.wasDone = true
            return report
        }
        if let found, !replaces {
            let count = found.segments.reduce(0) { $0 + $1.living }
            guard count == 0 else {
                throw IndexError.unmergeable(
                    directory, "has \(count) entries already",
                    advice: "name a new index, or let the merged one replace it with --replace")
            }
        }
        try checked.checkPaths()
        // An existing index opens with any model, because it will be replaced as a whole.
        let writer =
            found == nil
            ? try IndexWriter(
                directory, model: first.model, content: first.content, budget: first.budget)
            : try IndexWriter(directory, model: nil)
        do {
            try writer.adopt(indexes, &report, onProgress)
        } catch {
            writer.removeStrays()
            throw error
        }
        return report
    }
}

extension IndexWriter {
    /// Replaces the contents of this index by those of others.
    ///
    /// - Throws: ``IndexError`` if one of the others has changed or another process writes to it;
    ///   an error of the file system; the errors of `onProgress`. This index is then unchanged,
    ///   and files that it does not name may be left.
    fileprivate func adopt(
        _ sources: [ForwardIndex], _ report: inout IndexMerge,
        _ onProgress: (Int, Int) throws -> Void
    ) throws {
        guard let first = sources.first?.manifest else { return }
        var next = IndexManifest(model: first.model, content: first.content, tokens: first.tokens)
        next.generation = manifest.generation + 1
        let total = sources.reduce(0) { $0 + $1.segments.count }
        let stem = name(next.generation)
        for source in sources {
            // Nobody may delete the files before they have their second names.
            let lock = try IndexWriter(source.directory, model: nil)
            guard lock.manifest.generation == source.generation,
                lock.manifest.segments == source.manifest.segments
            else {
                throw IndexError.unmergeable(
                    source.directory, "was changed while it was merged", advice: "merge again")
            }
            try withExtendedLifetime(lock) {
                for segment in source.segments {
                    let done = next.segments.count
                    try onProgress(done, total)
                    next.segments.append(
                        try adopt(segment, of: source.manifest, "\(stem)-\(done)", &report))
                }
            }
        }
        AtomicFile.flushDirectory(directory.appending("segments"))
        try onProgress(total, total)
        try publish(next)
        removeStrays()
    }

    /// Gives one file a name in this index, and returns its record.
    private func adopt(
        _ segment: IndexSegment, of source: IndexManifest, _ name: String,
        _ report: inout IndexMerge
    ) throws -> IndexManifest.Segment {
        if segment.isRelocated {
            // The file holds the paths before the move, so it is written anew with the present ones.
            report.copied += 1
            return try SegmentWriter.copy(
                (0..<segment.count).filter { !segment.removed.contains($0) }.map { (segment, $0) },
                manifest: source, name: name, directory: directory)
        }
        let path = IndexSegment.path(name, in: directory)
        if try segment.path.addName(path) {
            report.linked += 1
        } else {
            report.copied += 1
            guard try MappedFile(path).sha256 == segment.record.sha256 else {
                throw IndexError.corrupt(
                    segment.path, "its checksum differs from the one in the manifest")
            }
        }
        var record = segment.record
        record.name = name
        record.directory = String(validating: directory.absolute)
        return record
    }
}

extension IndexManifest {
    /// Returns whether this index was merged from others that have not changed since.
    fileprivate func holdsSame(as sources: [ForwardIndex]) -> Bool {
        let others = sources.flatMap(\.segments)
        guard let first = sources.first, model.isSame(as: first.model), content == first.content,
            shard == nil, segments.count == others.count
        else { return false }
        return zip(segments, others).allSatisfy { own, other in
            !other.isRelocated && own.sha256 == other.record.sha256
                && own.removed == other.record.removed
        }
    }
}
