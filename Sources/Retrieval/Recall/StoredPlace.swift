/// The segment and the row of an entry in one number, so that a proposal is found without a table
/// of all keys.
///
/// The segment is named by 31 bits of its checksum, because its position changes.
struct StoredPlace {
    let value: Int64

    /// Takes the number that a store returned.
    init(_ value: Int64) { self.value = value }

    /// Returns the place of an entry.
    init(_ id: ForwardIndex.EntryID, in index: ForwardIndex) {
        value =
            Int64(Self.mark(of: index.segments[id.segment])) << 32
            | Int64(UInt32(truncatingIfNeeded: id.row))
    }

    /// Returns the entry at the place; nil if no segment has the mark, or the row does not exist
    /// or was removed.
    func entry(in index: ForwardIndex) -> ForwardIndex.EntryID? {
        let (mark, row) = (value >> 32, Int(truncatingIfNeeded: value & 0xFFFF_FFFF))
        for (position, segment) in index.segments.enumerated()
        where Int64(Self.mark(of: segment)) == mark {
            guard row < segment.count, !segment.removed.contains(row) else { continue }
            return ForwardIndex.EntryID(segment: position, row: row)
        }
        return nil
    }

    private static func mark(of segment: IndexSegment) -> UInt32 {
        (UInt32(segment.record.sha256.prefix(8), radix: 16) ?? 0) >> 1
    }
}
