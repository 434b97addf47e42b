public import SystemPackage
import Torch

/// The result of ``ForwardIndex/repair(_:onProgress:)``.
public struct IndexRepair: Sendable, Hashable {
    /// The number of entries that were lost with their files.
    public internal(set) var dropped = 0
    /// The number of remaining entries.
    public internal(set) var left = 0
    /// The files that were damaged or missing.
    public internal(set) var damage: [IndexDamage] = []
    /// Whether a damaged graph was dropped.
    public internal(set) var droppedGraph = false
}

extension ForwardIndex {
    /// Drops the lost parts of a damaged index and keeps the rest.
    ///
    /// This method reads everything, as ``verify(_:onProgress:)`` does. It drops a missing or
    /// damaged segment with all of its entries; `albef index` encodes them again. A file that
    /// exists but cannot be opened, for example for lack of permission, is not lost. In this case
    /// nothing is dropped.
    ///
    /// - Parameters:
    ///   - directory: The index.
    ///   - onProgress: Called with the number of segments done and the total; it may throw to stop.
    /// - Returns: What was dropped, and what is left.
    /// - Throws: ``IndexError`` if there is no readable manifest, a file cannot be opened, or
    ///   another process writes to the index; an error of the file system. The index is then
    ///   unchanged.
    /// - Complexity: O(bytes of the index).
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
    /// Checks that every existing file can be opened, because one that cannot may become readable
    /// later.
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
