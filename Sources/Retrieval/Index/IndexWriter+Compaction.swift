/// Joining segments: every file costs a map and a step of each search, and removed rows take space.
///
/// A new segment is written and committed, then what it replaces is deleted, so that little disk
/// space is needed and a kill undoes at most one step. Snapshots that are open keep reading what was
/// deleted. A graph is kept: the manifest notes where its rows are now.
extension IndexWriter {
    /// How much one step of ``tidy()`` writes at most, about.
    static let stepByteCount = 64 << 20
    /// How many neighbours are worth joining.
    private static let fewest = 8

    /// Rewrites segments so that there are few, and none with removed rows.
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
            let end = groupEnd(from: position, limit: segmentByteCount)
            done += end - position
            if end == position + 1, manifest.segments[position].removed.isEmpty {
                position += 1
            } else {
                position += try join(position..<end)
            }
        }
        try onProgress(done, total)
    }

    /// Joins one run of small neighbours, or frees what was removed from one segment.
    ///
    /// Each row is rewritten about as often as the index grows eightfold, not with every step.
    ///
    /// - Returns: whether there may be more to do.
    /// - Throws: ``IndexError`` if a row is damaged; an error of the file system. What was committed
    ///   stays as it was.
    func tidy() throws -> Bool {
        guard let run = nextRun() else { return false }
        _ = try join(run)
        return nextRun() != nil
    }

    /// Puts the living rows of segments into one.
    ///
    /// - Returns: how many segments took their place, 0 or 1.
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

    /// Where the group of segments ends that become one; never past what a graph knows.
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

    /// The first segments that are worth rewriting in one step.
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

    /// Where a run of neighbours ends that together are small, none much larger than the rest; nil
    /// if they are too few.
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
    /// Rows that count.
    var living: Int { count - removed.count }

    /// About the bytes that they take.
    fileprivate var livingByteCount: Int { byteCount / max(count, 1) * living }
}
