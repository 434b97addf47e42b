public import SystemPackage
import Torch

/// What ``ForwardIndex/repair(_:onProgress:)`` did.
public struct IndexRepair: Sendable, Hashable {
    /// Entries that were lost with their files.
    public internal(set) var dropped = 0
    /// Entries that are left.
    public internal(set) var left = 0
    /// The files that were damaged or missing.
    public internal(set) var damage: [IndexDamage] = []
    /// Whether the graph was among them.
    public internal(set) var droppedGraph = false
}

extension ForwardIndex {
    /// Drops what is lost from an index that was damaged, and keeps the rest.
    ///
    /// Reads everything as ``verify(_:onProgress:)`` does. A segment that is missing or not as it
    /// was written goes with all its entries; `albef index` encodes them again. A file that is
    /// there but cannot be opened, as for want of permission, is not lost: then nothing is dropped.
    ///
    /// - Parameters:
    ///   - directory: the index.
    ///   - onProgress: called with the segments done and in all; throws to stop.
    /// - Throws: ``IndexError`` if there is no manifest that can be read, a file cannot be opened, or
    ///   another process writes to the index; an error of the file system. The index is then as it
    ///   was.
    public static func repair(
        _ directory: FilePath, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> IndexRepair {
        let writer = try IndexWriter(directory, model: nil)
        var next = writer.manifest
        try next.checkAccess(in: directory)
        let damage = try next.damage(in: directory, onProgress: onProgress)
        var report = IndexRepair()
        report.damage = damage.all
        report.droppedGraph = damage.graph != nil
        for segment in next.segments where damage.segments[segment.name] != nil {
            report.dropped += segment.living
            next.graph?.forget(segment.name)
        }
        next.segments.removeAll { damage.segments[$0.name] != nil }
        if damage.graph != nil { next.graph = nil }
        report.left = next.segments.reduce(0) { $0 + $1.living }
        if !report.damage.isEmpty {
            next.generation += 1
            try writer.publish(next)
            writer.removeStrays()
        }
        return report
    }
}

extension IndexManifest {
    /// Checks that no file is there that cannot be opened: such a file may come back.
    ///
    /// - Throws: ``IndexError`` that names the file.
    fileprivate func checkAccess(in directory: FilePath) throws {
        let files =
            segments.map { IndexSegment.path($0.name, in: directory) }
            + (graph.map { [GraphFile.path($0.name, in: directory)] } ?? [])
        for file in files {
            do {
                try FileDescriptor.open(file, .readOnly, options: [.closeOnExec, .nonBlocking])
                    .close()
            } catch let errno as Errno where errno != .noSuchFileOrDirectory {
                throw IndexError.system(file, "open it", errno)
            } catch is Errno {}
        }
    }
}
