import Synchronization

/// Finds entries by their keys or paths, in successive snapshots of one index.
///
/// Segments never change, so the keys of a segment are read once, at the first lookup in it. A
/// lookup after a commit reads only the new segments. The locator uses twelve bytes per entry.
public final class EntryLocator: Sendable {
    /// The rows of a segment, sorted by the prefixes of their keys.
    private struct Table: Sendable {
        var prefixes: [UInt64] = []
        var rows: [UInt32] = []

        init(_ segment: IndexSegment) throws {
            let pairs = try (0..<segment.count).map { row in
                (EntryKey(try segment.entry(row).path).prefix, UInt32(row))
            }.sorted { $0 < $1 }
            prefixes = pairs.map(\.0)
            rows = pairs.map(\.1)
        }

        /// Returns the rows whose keys begin with a prefix.
        func rows(_ prefix: UInt64) -> ArraySlice<UInt32> {
            var (low, high) = (0, prefixes.count)
            while low < high {
                let middle = (low + high) / 2
                if prefixes[middle] < prefix { low = middle + 1 } else { high = middle }
            }
            var end = low
            while end < prefixes.count, prefixes[end] == prefix { end += 1 }
            return rows[low..<end]
        }
    }

    /// The tables by the checksums of segments, because names are reused when an index is deleted
    /// and created again.
    private let tables = Mutex<[String: Table]>([:])

    /// Creates a locator that has not read any keys yet.
    public init() {}

    /// Reads the keys of every entry, so that no later lookup has to.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n log n) for n entries in new segments.
    public func prepare(_ index: ForwardIndex) throws {
        forget(except: index)
        for segment in index.segments { _ = try table(segment) }
    }

    /// Discards the keys of segments that an index no longer has, because they were joined or
    /// deleted.
    func forget(except index: ForwardIndex) {
        let present = Set(index.segments.map(\.record.sha256))
        tables.withLock { tables in tables = tables.filter { present.contains($0.key) } }
    }

    /// Returns the entry with a key, or nil if there is none.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(s log n) for s segments and n entries, once their keys have been read.
    public func find(_ key: EntryKey, in index: ForwardIndex) throws -> ForwardIndex.EntryID? {
        // Search the newest segments first, because recent entries are looked up most.
        for (position, segment) in index.segments.enumerated().reversed() {
            for row in try table(segment).rows(key.prefix).map(Int.init)
            where !segment.removed.contains(row) {
                if EntryKey(try segment.entry(row).path) == key {
                    return ForwardIndex.EntryID(segment: position, row: row)
                }
            }
        }
        return nil
    }

    private func table(_ segment: IndexSegment) throws -> Table {
        let checksum = segment.record.sha256
        if let known = tables.withLock({ $0[checksum] }) { return known }
        let table = try Table(segment)
        tables.withLock { $0[checksum] = table }
        return table
    }
}
