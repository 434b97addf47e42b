import Storage
import Foundation
import SystemPackage
import Torch

/// Adds to an index and removes from it; one process at a time, by a lock that ends with it.
///
/// Nothing that was committed is ever changed in place. A commit writes and flushes its segment,
/// then replaces the manifest; a kill at any byte leaves the previous manifest and at most a
/// segment that it does not name, which the next writer deletes. Nothing fails after the manifest
/// was replaced.
final class IndexWriter {
    let directory: FilePath
    /// On a file of the directory, so that a writer whose directory was deleted or replaced can tell.
    private let lock: FileLock
    private(set) var manifest: IndexManifest

    /// Opens an index for writing.
    ///
    /// What is there is looked at under the lock, so that of several programs that make one index
    /// at the same moment, one does, and the others find it.
    ///
    /// - Throws: ``IndexError`` if the directory holds something else, another process writes to
    ///   the index, or it was made with another model.
    ///
    /// - Parameters:
    ///   - directory: the index.
    ///   - model: what new vectors are computed with; nil to change an index that is there.
    ///   - content: what they are of; ignored if `model` is nil.
    ///   - budget: what to keep of tokens in a new index; nil for what an old one keeps, or all.
    ///   - creates: whether to make the index, and its directory, if it does not exist. It is never
    ///     made if `model` is nil.
    init(
        _ directory: FilePath, model: ModelSignature?, content: IndexContent = .images,
        budget: TokenBudget? = nil, creates: Bool = true
    ) throws {
        // Before anything is made in a directory that is not an index.
        try Self.checkPlace(directory, creates: creates && model != nil)
        if creates, model != nil { try Self.makeFolder(directory) }
        lock = try Self.locked(directory)
        self.directory = directory
        if var found = try IndexManifest.ifPresent(in: directory) {
            found.format = IndexManifest.format(of: found.model)
            manifest = try found.opened(with: model, content, budget, in: directory)
        } else if creates, let model {
            // Segments without a manifest are not a new index, but one that lost it.
            guard try Self.segmentNames(directory).isEmpty else {
                throw IndexError.lostManifest(directory)
            }
            manifest = IndexManifest(
                model: model, content: content, tokens: budget ?? TokenBudget())
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

    /// Files of segments and graphs that are complete: temporary ones have other names.
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

    /// Deletes what a killed writer left behind, and what was replaced.
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

    /// Adds entries, removes others, and makes both visible at once.
    ///
    /// - Parameters:
    ///   - rows: new entries; nil for none.
    ///   - removed: entries of the snapshot that ``manifest`` was at.
    /// - Throws: as ``publish(_:)``; the index is then as it was.
    func commit(
        _ rows: SegmentWriter.Rows?, removing removed: [ForwardIndex.EntryID] = []
    ) throws {
        var next = manifest
        next.generation += 1
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

    /// Makes another state of the index the one that readers see.
    ///
    /// - Throws: an error of the file system, or ``IndexError`` if the directory was deleted or
    ///   replaced; the index is then as it was.
    func publish(_ next: IndexManifest) throws {
        guard lock.isInPlace else { throw IndexError.replaced(directory) }
        try next.write(to: directory)
        manifest = next
    }

    /// What the files of a generation are called.
    func name(_ generation: Int) -> String {
        let digits = String(generation)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

extension IndexManifest {
    /// The manifest that a writer goes on from.
    ///
    /// An index that nothing was ever committed to takes what its writer asks for.
    ///
    /// - Throws: ``IndexError`` if the index is of another model, content or budget.
    fileprivate func opened(
        with model: ModelSignature?, _ content: IndexContent, _ budget: TokenBudget?,
        in directory: FilePath
    ) throws -> IndexManifest {
        if let model, generation == 0, segments.isEmpty {
            return IndexManifest(model: model, content: content, tokens: budget ?? tokens)
        }
        if let model {
            try check(model, in: directory)
            guard content == self.content else {
                throw IndexError.otherContent(directory, self.content)
            }
        }
        if let budget, budget != tokens { throw IndexError.otherBudget(directory) }
        // Where the model was found last is where it will be looked for.
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
