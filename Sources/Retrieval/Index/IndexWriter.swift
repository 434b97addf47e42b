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
    init(_ directory: FilePath, model: IndexManifest.Model) throws {
        let existed = FileManager.default.fileExists(
            atPath: directory.appending(IndexManifest.fileName).string)
        let known: Set<String> = ["segments", "lock", IndexManifest.fileName]
        let present = (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
        guard existed || present.allSatisfy({ known.contains($0) || $0.hasSuffix(".tmp") }) else {
            throw IndexError.occupied(directory)
        }
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
            try ForwardIndex(directory, manifest: manifest).check(model)
        } else {
            manifest = IndexManifest(model: model)
        }
        removeStrays()
    }

    deinit { try? lock.close() }

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
        let named = Set(manifest.segments.map { "\($0.name).safetensors" })
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where !named.contains(name) {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Adds entries, removes others, and makes both visible at once.
    ///
    /// - Parameters:
    ///   - entries: what is known of each new picture; may be empty.
    ///   - features: `[N, E]`; nil without new entries.
    ///   - tokens: `[N, P + 1, D_v]`; nil without new entries.
    ///   - removed: entries of the snapshot that ``manifest`` was at.
    /// - Throws: an error of the file system; the index is then as it was.
    func commit(
        _ entries: [IndexEntry], features: Tensor?, tokens: Tensor?,
        removing removed: [ForwardIndex.EntryID]
    ) throws {
        var next = manifest
        next.generation += 1
        for id in removed { next.segments[id.segment].removed.append(id.row) }
        for position in Set(removed.map(\.segment)) {
            next.segments[position].removed = Set(next.segments[position].removed).sorted()
        }
        if let features, let tokens, !entries.isEmpty {
            let digits = String(next.generation)
            let name = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
            next.segments.append(
                try IndexSegment.write(
                    entries, features: features, tokens: tokens.to(.float16), name: name,
                    directory: directory))
        }
        try next.write(to: directory)
        manifest = next
    }
}

extension CocoaError {
    var errno: Errno? {
        (underlying as? POSIXError).map { Errno(rawValue: $0.code.rawValue) }
    }
}
