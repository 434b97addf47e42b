import Synchronization

/// Finds entries by their keys or paths, in successive snapshots of one index.
///
/// A segment has its keys in order, so a lookup touches a few pages of it. The keys of segments that
/// earlier versions wrote, and of images that were moved, are made from the entries at the first
/// lookup, and the locator keeps them in twelve bytes per entry.
public final class EntryLocator: Sendable {
    /// The keys that were made, by the checksums of segments, because names are reused when an
    /// index is deleted and created again.
    private let tables = Mutex<[String: KeyTable]>([:])

    /// Creates a locator that has not read any keys yet.
    public init() {}

    /// Makes the keys that segments lack, so that no later lookup has to.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(s) for s segments, and O(n log n) for n entries in new segments that have no
    ///   keys.
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
    /// - Complexity: O(s log n) for s segments and n entries, once ``prepare(_:)`` has returned.
    public func find(_ key: EntryKey, in index: ForwardIndex) throws -> ForwardIndex.EntryID? {
        // Search the newest segments first, because recent entries are looked up most.
        for (position, segment) in index.segments.enumerated().reversed() {
            for row in try table(segment).rows(key.prefix)
            where !segment.removed.contains(row) {
                if EntryKey(try segment.entry(row).path) == key {
                    return ForwardIndex.EntryID(segment: position, row: row)
                }
            }
        }
        return nil
    }

    private func table(_ segment: IndexSegment) throws -> KeyTable {
        if let keys = segment.keys { return keys }
        let checksum = segment.record.sha256
        if let known = tables.withLock({ $0[checksum] }) { return known }
        let table = try KeyTable(deriving: segment)
        tables.withLock { $0[checksum] = table }
        return table
    }
}
