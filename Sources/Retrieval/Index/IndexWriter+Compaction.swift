/// Joins segments, because every file costs a memory map and a step of each search, and removed
/// rows take space.
///
/// A new segment is written and committed before the replaced ones are deleted. This needs little
/// disk space, and a killed process loses at most one step. Open snapshots can still read deleted
/// segments. A graph is kept, and the manifest records the new places of its rows.
extension IndexWriter {
    /// The approximate maximum number of bytes that one step of ``tidy()`` writes.
    static let stepByteCount = 64 << 20
    /// The smallest number of neighbouring segments that are worth joining.
    private static let fewest = 8

    /// Rewrites the segments so that there are few, none with removed rows, and all with keys and
    /// columns.
    ///
    /// - Parameters:
    ///   - segmentByteCount: The approximate maximum size of a segment.
    ///   - onProgress: Called with the number of segments done and the total; it may throw to stop.
    /// - Throws: ``IndexError`` if a row is damaged; an error of the file system.
    func compact(
        segmentByteCount: Int, onProgress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let total = manifest.segments.count
        var (position, done) = (0, 0)
        while position < manifest.segments.count {
            try onProgress(done, total)
            let end = groupEnd(from: position, limit: segmentByteCount)
            done += end - position
            if end == position + 1, try isInOrder(position) {
                position += 1
            } else {
                position += try join(position..<end)
            }
        }
        try onProgress(done, total)
    }

    /// Returns whether a segment has nothing to free, and the tables that this program writes.
    private func isInOrder(_ position: Int) throws -> Bool {
        let record = manifest.segments[position]
        return try record.removed.isEmpty
            && IndexSegment(record, manifest: manifest, directory: directory).hasTables
    }

    /// Joins one run of small neighbours, or frees the removed rows of one segment.
    ///
    /// Each row is rewritten about once for every eightfold growth of the index, not in every step.
    ///
    /// - Returns: Whether more steps may be useful.
    /// - Throws: ``IndexError`` if a row is damaged; an error of the file system. The committed
    ///   state is then unchanged.
    func tidy() throws -> Bool {
        guard let run = nextRun() else { return false }
        _ = try join(run)
        return nextRun() != nil
    }

    /// Joins the remaining rows of several segments into one segment.
    ///
    /// - Returns: The number of segments that replace them, 0 or 1.
    private func join(_ range: Range<Int>) throws -> Int {
        var next = manifest
        next.generation += 1
        let rows = try manifest.segments[range].filter { $0.living > 0 }.flatMap { record in
            let segment = try IndexSegment(record, manifest: manifest, directory: directory)
            return (0..<segment.count).filter { !segment.removed.contains($0) }.map {
                (segment, $0)
            }
        }
        let replacement =
            rows.isEmpty
            ? nil
            : try SegmentWriter.copy(
                rows, manifest: next, name: name(next.generation), directory: directory)
        next.replace(range, with: replacement)
        try publish(next)
        removeStrays()
        return replacement == nil ? 0 : 1
    }

    /// Returns the end of the group of segments to join, which never crosses the end of a graph.
    private func groupEnd(from start: Int, limit: Int) -> Int {
        let segments = manifest.segments
        let known = manifest.graphSegments ?? 0
        let last = start < known ? known : segments.count
        var (end, bytes) = (start + 1, segments[start].livingByteCount)
        while end < last, bytes + segments[end].livingByteCount <= limit {
            bytes += segments[end].livingByteCount
            end += 1
        }
        return end
    }

    /// Returns the first run of segments that is worth rewriting in one step.
    private func nextRun() -> Range<Int>? {
        let segments = manifest.segments
        let known = manifest.graphSegments ?? 0
        for start in segments.indices {
            let segment = segments[start]
            let isHalfEmpty =
                segment.living < segment.count / 2
                && segment.livingByteCount <= Self.stepByteCount
            if segment.living == 0 || isHalfEmpty { return start..<start + 1 }
            if let end = runEnd(from: start, before: start < known ? known : segments.count) {
                return start..<end
            }
        }
        return nil
    }

    /// Returns the end of a run of neighbours that are small together and similar in size, or nil
    /// if there are too few.
    private func runEnd(from start: Int, before last: Int) -> Int? {
        var (end, bytes, largest) = (start, 0, 0)
        while end < last {
            let size = manifest.segments[end].livingByteCount
            guard bytes + size <= Self.stepByteCount else { break }
            bytes += size
            largest = max(largest, size)
            end += 1
        }
        return end - start >= Self.fewest && largest <= bytes / 2 ? end : nil
    }
}

extension IndexManifest.Segment {
    /// The number of rows that were not removed.
    var living: Int { count - removed.count }

    /// The approximate size of these rows in bytes.
    fileprivate var livingByteCount: Int { byteCount / max(count, 1) * living }
}
