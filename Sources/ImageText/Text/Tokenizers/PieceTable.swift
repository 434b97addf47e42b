/// The pieces of a vocabulary, found by their bytes and by their ids.
///
/// Bytes, not `String`: Swift compares strings by canonical equivalence, and a vocabulary may hold
/// a composed and a decomposed "é" as two pieces. One block of bytes and one open hash table hold
/// a vocabulary of 256,000 pieces in about 6 MB.
struct PieceTable: Sendable {
    /// The largest id that a file may give to a piece; far above any published vocabulary.
    static let largestID = (1 << 21) - 1

    private struct Piece {
        var start: Int32 = 0
        /// -1 where no piece has the id.
        var count: Int32 = -1
    }

    private var bytes: [UInt8] = []
    /// By id.
    private var pieces: [Piece] = []
    /// Ids, or -1 where free; never more than half full.
    private var slots: [Int32]
    private var used = 0

    /// An empty table.
    ///
    /// - Parameter capacity: How many pieces to expect.
    init(capacity: Int) {
        var count = 64
        while count < capacity * 2 { count *= 2 }
        slots = [Int32](repeating: -1, count: count)
    }

    /// One more than the largest id.
    var count: Int { pieces.count }

    /// Gives a piece an id.
    ///
    /// A piece that is there already gets the new id: the last one counts, as in Python.
    ///
    /// - Parameter id: From 0 to ``largestID``.
    /// - Returns: Whether the piece is new.
    @discardableResult
    mutating func insert(_ piece: some Collection<UInt8>, id: Int) -> Bool {
        if used * 2 >= slots.count { grow() }
        if id >= pieces.count {
            pieces.append(
                contentsOf: repeatElement(Piece(), count: id + 1 - pieces.count))
        }
        let start = bytes.count
        bytes.append(contentsOf: piece)
        pieces[id] = Piece(start: Int32(start), count: Int32(bytes.count - start))
        let slot = bytes.withUnsafeBufferPointer {
            self.slot(of: UnsafeBufferPointer(rebasing: $0[start...]))
        }
        let isNew = slots[slot] < 0
        if isNew { used += 1 }
        slots[slot] = Int32(id)
        return isNew
    }

    /// The id of a piece.
    func id(of piece: UnsafeBufferPointer<UInt8>) -> Int32? {
        let id = slots[slot(of: piece)]
        return id >= 0 ? id : nil
    }

    /// The id of a piece.
    func id(of piece: some Collection<UInt8>) -> Int32? {
        if let found = piece.withContiguousStorageIfAvailable({ id(of: $0) }) { return found }
        return Array(piece).withUnsafeBufferPointer { id(of: $0) }
    }

    /// The bytes of the piece with this id; nil if there is no such piece.
    func bytes(of id: Int) -> ArraySlice<UInt8>? {
        guard pieces.indices.contains(id), pieces[id].count >= 0 else { return nil }
        let start = Int(pieces[id].start)
        return bytes[start..<start + Int(pieces[id].count)]
    }

    /// The spelling of the piece with this id; nil if there is no such piece.
    func spelling(of id: Int) -> String? {
        bytes(of: id).map { String(decoding: $0, as: UTF8.self) }
    }

    private func slot(of piece: UnsafeBufferPointer<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in piece { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 29)) &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
        while slots[slot] >= 0, !equals(Int(slots[slot]), piece) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func equals(_ id: Int, _ piece: UnsafeBufferPointer<UInt8>) -> Bool {
        let known = pieces[id]
        guard Int(known.count) == piece.count else { return false }
        let start = Int(known.start)
        for index in 0..<piece.count where bytes[start + index] != piece[index] { return false }
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = [Int32](repeating: -1, count: old.count * 2)
        for id in old where id >= 0 {
            guard let piece = bytes(of: Int(id)) else { continue }
            let slot = piece.withUnsafeBufferPointer { self.slot(of: $0) }
            slots[slot] = id
        }
    }
}
