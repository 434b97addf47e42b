import Synchronization

/// Finds entries by their keys or paths, in one index after another of the same directory.
///
/// Segments never change, so the keys of each are read once, when something is first looked up in
/// it; a lookup after a commit reads only what was added. Twelve bytes per entry are kept.
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

        /// The rows whose keys begin with a prefix.
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

    /// By the checksums of segments: names start over when an index is deleted and made anew.
    private let tables = Mutex<[String: Table]>([:])

    /// Begins with nothing read.
    public init() {}

    /// Reads the keys of every entry, so that no lookup has to wait for that.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    public func prepare(_ index: ForwardIndex) throws {
        forget(except: index)
        for segment in index.segments { _ = try table(segment) }
    }

    /// Forgets the keys of segments that an index has not, as they were joined or deleted.
    func forget(except index: ForwardIndex) {
        let present = Set(index.segments.map(\.record.sha256))
        tables.withLock { tables in tables = tables.filter { present.contains($0.key) } }
    }

    /// The entry of a key; nil if it does not exist.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    public func find(_ key: EntryKey, in index: ForwardIndex) throws -> ForwardIndex.EntryID? {
        // What was added last is asked for most.
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
