import Foundation
import Storage
import SystemPackage
import Torch

/// Adds entries to an index and removes them; a lock permits one writer at a time and ends with it.
///
/// A writer never changes committed data in place. A commit writes and flushes its segment and then
/// replaces the manifest. If the process is killed at any point before that, the previous manifest
/// remains, with at most one segment that it does not name and that the next writer deletes. No
/// step can fail after the manifest has been replaced.
final class IndexWriter {
    let directory: FilePath
    /// The lock on a file of the directory, by which a writer detects that its directory was
    /// deleted or replaced.
    private let lock: FileLock
    private(set) var manifest: IndexManifest

    /// Opens an index for writing.
    ///
    /// The index is examined under the lock. If several programs create one index at the same
    /// moment, one of them does, and the others find it.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - model: The model that computes new vectors; nil to change an existing index.
    ///   - content: The kind of new entries; ignored if `model` is nil.
    ///   - budget: The tokens that a new index stores; nil for what an existing index stores, or
    ///     all tokens.
    ///   - shard: The part of a gallery that new entries belong to; ignored if `model` is nil.
    ///   - creates: Whether to create the index and its directory if they do not exist. If `model`
    ///     is nil, they are never created.
    /// - Throws: ``IndexError`` if the directory contains something else, another process writes to
    ///   the index, or it was made with another model or for another shard.
    init(
        _ directory: FilePath, model: ModelSignature?, content: IndexContent = .images,
        budget: TokenBudget? = nil, shard: IndexShard? = nil, creates: Bool = true
    ) throws {
        // Check first, so that nothing is created in a directory that is not an index.
        try Self.checkPlace(directory, creates: creates && model != nil)
        if creates, model != nil { try Self.makeFolder(directory) }
        lock = try Self.locked(directory)
        self.directory = directory
        if var found = try IndexManifest.ifPresent(in: directory) {
            found.format = IndexManifest.format(of: found.model)
            manifest = try found.opened(with: model, content, budget, shard, in: directory)
        } else if creates, let model {
            // A directory with segments but no manifest is a damaged index, not a new one.
            guard try Self.segmentNames(directory).isEmpty else {
                throw IndexError.lostManifest(directory)
            }
            manifest = IndexManifest(
                model: model, content: content, tokens: budget ?? TokenBudget(), shard: shard)
            try manifest.write(to: directory)
        } else {
            throw IndexError.missing(directory)
        }
        removeStrays()
        removeReplaced()
    }

    private static func locked(_ directory: FilePath) throws(IndexError) -> FileLock {
        let path = directory.appending("lock")
        do {
            return try FileLock(path)
        } catch {
            switch error {
            case .held: throw .locked(directory)
            case .unopened(.noSuchFileOrDirectory), .unopened(.notDirectory):
                throw .missing(directory)
            case .unopened(let errno): throw .system(path, "open it", errno)
            case .unlockable(let errno): throw .system(path, "lock it", errno)
            }
        }
    }

    private static func checkPlace(_ directory: FilePath, creates: Bool) throws {
        let files = FileManager.default
        if files.fileExists(atPath: directory.appending(IndexManifest.fileName).string) { return }
        guard creates else { throw IndexError.missing(directory) }
        let known: Set<String> = [
            "segments", "lock", IndexManifest.fileName, IndexSuccessor.folderName,
        ]
        let present = (try? files.contentsOfDirectory(atPath: directory.string)) ?? []
        guard present.allSatisfy({ known.contains($0) || $0.hasSuffix(".tmp") }) else {
            throw IndexError.occupied(directory)
        }
    }

    private static func makeFolder(_ directory: FilePath) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory.appending("segments").string, withIntermediateDirectories: true)
        } catch let error as CocoaError {
            throw IndexError.system(directory, "create it", error.errno ?? .ioError)
        }
    }

    /// Returns the files of complete segments and graphs; temporary files have other names.
    private static func segmentNames(_ directory: FilePath) throws -> [String] {
        let folder = directory.appending("segments")
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.string).filter {
                $0.hasSuffix(".safetensors") || $0.hasSuffix(".hnsw")
            }
        } catch let error as CocoaError {
            throw IndexError.system(folder, "list it", error.errno ?? .ioError)
        }
    }

    /// Deletes the files that a killed writer left behind, and replaced files.
    func removeStrays() {
        let temporary = ".\(IndexManifest.fileName)."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
        where name.hasPrefix(temporary) {
            try? FileManager.default.removeItem(atPath: directory.appending(name).string)
        }
        let folder = directory.appending("segments").string
        let named = Set(
            manifest.segments.map { "\($0.name).safetensors" }
                + (manifest.graph.map { ["\($0.name).hnsw"] } ?? []))
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where !named.contains(name) {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Adds entries and removes others in one commit.
    ///
    /// - Parameters:
    ///   - rows: The new entries; nil for none.
    ///   - removed: The entries to remove, as ids of the snapshot of ``manifest``.
    ///   - isFinished: Whether the shard of the index is finished then; nil to leave that as it is.
    /// - Throws: The errors of ``publish(_:)``; the index is then unchanged.
    func commit(
        _ rows: SegmentWriter.Rows?, removing removed: [ForwardIndex.EntryID] = [],
        finishing isFinished: Bool? = nil
    ) throws {
        var next = manifest
        next.generation += 1
        if let isFinished { next.shard?.isFinished = isFinished }
        for id in removed {
            guard next.segments.indices.contains(id.segment),
                (0..<next.segments[id.segment].count).contains(id.row)
            else { throw IndexError.stale(directory) }
            next.segments[id.segment].removed.append(id.row)
        }
        for position in Set(removed.map(\.segment)) {
            next.segments[position].removed = Set(next.segments[position].removed).sorted()
        }
        if let rows, !rows.entries.isEmpty {
            next.segments.append(
                try SegmentWriter.write(rows, name: name(next.generation), directory: directory))
        }
        try publish(next)
    }

    /// Replaces the manifest, which makes a new state of the index visible to readers.
    ///
    /// - Throws: An error of the file system, or ``IndexError`` if the directory was deleted or
    ///   replaced. The index is then unchanged.
    func publish(_ next: IndexManifest) throws {
        guard lock.isInPlace else { throw IndexError.replaced(directory) }
        try next.write(to: directory)
        manifest = next
    }

    /// Returns the name of the files of a generation.
    func name(_ generation: Int) -> String {
        let digits = String(generation)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

extension IndexManifest {
    /// Returns the manifest from which a writer continues.
    ///
    /// An index without any commits accepts the model, content, budget and shard of its writer.
    ///
    /// - Throws: ``IndexError`` if the index has another model, content, budget or shard.
    fileprivate func opened(
        with model: ModelSignature?, _ content: IndexContent, _ budget: TokenBudget?,
        _ shard: IndexShard?, in directory: FilePath
    ) throws -> IndexManifest {
        if let model, generation == 0, segments.isEmpty {
            return IndexManifest(
                model: model, content: content, tokens: budget ?? tokens, shard: shard)
        }
        if let model {
            try check(shard, in: directory)
            try check(model, in: directory)
            guard content == self.content else {
                throw IndexError.otherContent(directory, self.content)
            }
        }
        if let budget, budget != tokens { throw IndexError.otherBudget(directory) }
        // Record where the model was found last, because it will be looked for there.
        var copy = self
        copy.model.source = model?.source ?? self.model.source
        copy.model.recall?.source = model?.recall?.source ?? self.model.recall?.source
        return copy
    }
}

extension CocoaError {
    var errno: Errno? {
        (underlying as? POSIXError).map { Errno(rawValue: $0.code.rawValue) }
    }
}
