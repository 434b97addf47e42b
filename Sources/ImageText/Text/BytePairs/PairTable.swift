/// The merges of pairs of neighbouring tokens, by their ids.
struct PairTable: Sendable {
    /// A merge: its rank in the list, the earliest first, and the token that it makes.
    struct Merge: Sendable {
        var rank: Int32
        var token: Int32
    }

    private struct Slot {
        /// `left << 32 | right`, or -1 if free.
        var key: Int64 = -1
        var merge = Merge(rank: 0, token: 0)
    }

    private var slots: [Slot]
    private var used = 0

    /// Creates an empty table.
    ///
    /// - Parameter capacity: The expected number of merges.
    init(capacity: Int) {
        var count = 64
        while count < capacity * 2 { count *= 2 }
        slots = [Slot](repeating: Slot(), count: count)
    }

    /// Adds a merge; it replaces an earlier merge of the same pair, as in Python.
    mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
        if used * 2 >= slots.count {
            let old = slots
            slots = [Slot](repeating: Slot(), count: old.count * 2)
            for entry in old where entry.key >= 0 { slots[place(of: entry.key)] = entry }
        }
        let key = Self.key(left, right)
        let place = place(of: key)
        if slots[place].key < 0 { used += 1 }
        slots[place] = Slot(key: key, merge: merge)
    }

    /// Returns the merge of two neighbours.
    subscript(left: Int32, right: Int32) -> Merge? {
        let key = Self.key(left, right)
        let slot = slots[place(of: key)]
        return slot.key == key ? slot.merge : nil
    }

    private static func key(_ left: Int32, _ right: Int32) -> Int64 {
        Int64(left) << 32 | Int64(right)
    }

    private func place(of key: Int64) -> Int {
        let hash = UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15
        var place = Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
        while slots[place].key != key, slots[place].key >= 0 {
            place = (place + 1) & (slots.count - 1)
        }
        return place
    }
}
