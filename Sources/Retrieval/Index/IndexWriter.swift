import Foundation
import SystemPackage
import Torch

/// Adds to an index and removes from it; one process at a time, by a lock that ends with it.
///
/// Nothing that was committed is ever changed in place. A commit writes and flushes its segment,
/// then replaces the manifest; a kill at any byte leaves the previous manifest and at most a
/// segment that it does not name, which the next writer deletes.
final class IndexWriter {
    private let directory: FilePath
    private let lock: FileDescriptor
    private(set) var manifest: IndexManifest

    /// Opens an index for writing, creating it where there is none.
    ///
    /// - Throws: ``IndexError`` if the directory holds something else, another process writes to
    ///   the index, or it was made with another model.
    ///
    /// - Parameters:
    ///   - directory: the index; created where there is none.
    ///   - model: what new vectors are computed with; nil to change an index that is there.
    ///   - content: what they are of; says nothing where `model` is nil.
    ///   - budget: what to keep of tokens in a new index; nil for what an old one keeps, or all.
    init(
        _ directory: FilePath, model: ModelSignature?, content: IndexContent = .images,
        budget: TokenBudget? = nil, creates: Bool = true
    ) throws {
        let existed = FileManager.default.fileExists(
            atPath: directory.appending(IndexManifest.fileName).string)
        let known: Set<String> = ["segments", "lock", IndexManifest.fileName]
        let present = (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
        guard existed || present.allSatisfy({ known.contains($0) || $0.hasSuffix(".tmp") }) else {
            throw IndexError.occupied(directory)
        }
        guard existed || (model != nil && creates) else { throw IndexError.missing(directory) }
        do {
            try FileManager.default.createDirectory(
                atPath: directory.appending("segments").string, withIntermediateDirectories: true)
        } catch let error as CocoaError {
            throw IndexError.system(directory, "create it", error.errno ?? .ioError)
        }
        lock = try Self.lock(directory)
        self.directory = directory
        if existed {
            manifest = try IndexManifest(directory: directory)
            manifest.format = IndexManifest.format
            if let model {
                try ForwardIndex(directory, manifest: manifest).check(model)
                guard content == manifest.content else {
                    throw IndexError.otherContent(directory, manifest.content)
                }
            }
            if let budget, budget != manifest.tokens {
                throw IndexError.otherBudget(directory)
            }
        } else if let model {
            manifest = IndexManifest(
                model: model, content: content, tokens: budget ?? TokenBudget())
        } else {
            throw IndexError.missing(directory)
        }
        removeStrays()
    }

    deinit {
        // Closing alone would leave the lock to a child process that has been forked but not yet
        // started, which has the descriptor too.
        flock(lock.rawValue, LOCK_UN)
        try? lock.close()
    }

    private static func lock(_ directory: FilePath) throws -> FileDescriptor {
        let path = directory.appending("lock")
        do {
            let file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                let errno = Errno(rawValue: errno)
                try? file.close()
                if errno == .wouldBlock { throw IndexError.locked(directory) }
                throw IndexError.system(path, "lock it", errno)
            }
            return file
        } catch let errno as Errno {
            throw IndexError.system(path, "open it", errno)
        }
    }

    /// What a killed writer left behind.
    private func removeStrays() {
        let folder = directory.appending("segments").string
        let named = Set(
            manifest.segments.map { "\($0.name).safetensors" }
                + (manifest.graph.map { ["\($0.name).hnsw"] } ?? []))
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where !named.contains(name) {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Adds entries, removes others, and makes both visible at once.
    ///
    /// - Parameters:
    ///   - rows: new pictures; nil for none.
    ///   - removed: entries of the snapshot that ``manifest`` was at.
    /// - Throws: an error of the file system; the index is then as it was.
    func commit(
        _ rows: SegmentWriter.Rows?, removing removed: [ForwardIndex.EntryID] = []
    ) throws {
        var next = manifest
        next.generation += 1
        for id in removed { next.segments[id.segment].removed.append(id.row) }
        for position in Set(removed.map(\.segment)) {
            next.segments[position].removed = Set(next.segments[position].removed).sorted()
        }
        if let rows, !rows.entries.isEmpty {
            next.segments.append(
                try SegmentWriter.write(rows, name: name(next.generation), directory: directory))
        }
        try publish(next)
    }

    /// Rewrites segments so that there are few, and none with removed rows.
    ///
    /// One new segment after another is written and committed, then what it replaces is deleted, so
    /// that little disk space is needed and a kill undoes at most one of these steps. Snapshots that
    /// are open keep reading what was deleted.
    ///
    /// - Parameters:
    ///   - segmentByteCount: about how large segments may become.
    ///   - onProgress: called with the segments done and in all; throws to stop.
    /// - Throws: ``IndexError`` if a row is damaged; an error of the file system.
    func compact(
        segmentByteCount: Int, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let total = manifest.segments.count
        var (position, done) = (0, 0)
        while position < manifest.segments.count {
            try onProgress(done, total)
            let snapshot = try ForwardIndex(directory, manifest: manifest)
            let end = groupEnd(from: position, limit: segmentByteCount)
            done += end - position
            let group = snapshot.segments[position..<end]
            if group.count == 1, group[position].removed.isEmpty {
                position += 1
                continue
            }
            var next = manifest
            next.generation += 1
            let rows = group.flatMap { segment in
                (0..<segment.count).filter { !segment.removed.contains($0) }.map { (segment, $0) }
            }
            var replacement: [IndexManifest.Segment] = []
            if !rows.isEmpty {
                replacement = [
                    try SegmentWriter.copy(
                        rows, manifest: next, name: name(next.generation), directory: directory)
                ]
            }
            next.segments.replaceSubrange(position..<end, with: replacement)
            // A graph knows rows by their places.
            if let graph = next.graph, position < graph.segments.count { next.graph = nil }
            try publish(next)
            removeStrays()
            position += replacement.count
        }
        try onProgress(done, total)
    }

    /// Puts a graph over all segments in place of an earlier one.
    ///
    /// - Parameter write: writes it to a path that it is given.
    /// - Throws: what `write` throws; an error of the file system.
    func publishGraph(_ write: (FilePath) throws -> Void) throws {
        var next = manifest
        next.generation += 1
        let name = name(next.generation)
        let path = directory.appending("segments").appending("\(name).hnsw")
        try write(path)
        let file = try MappedFile(path)
        next.graph = .init(
            name: name, byteCount: file.count,
            sha256: file.sha256,
            segments: next.segments.map(\.name))
        try publish(next)
        removeStrays()
    }

    /// Where the group of segments ends that become one.
    private func groupEnd(from start: Int, limit: Int) -> Int {
        func living(_ segment: IndexManifest.Segment) -> Int {
            segment.byteCount / max(segment.count, 1) * (segment.count - segment.removed.count)
        }
        var (end, bytes) = (start + 1, living(manifest.segments[start]))
        while end < manifest.segments.count, bytes + living(manifest.segments[end]) <= limit {
            bytes += living(manifest.segments[end])
            end += 1
        }
        return end
    }

    private func publish(_ next: IndexManifest) throws {
        try next.write(to: directory)
        manifest = next
    }

    private func name(_ generation: Int) -> String {
        let digits = String(generation)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

extension CocoaError {
    var errno: Errno? {
        (underlying as? POSIXError).map { Errno(rawValue: $0.code.rawValue) }
    }
}
