/// The pieces of a vocabulary, found by their bytes and by their ids.
///
/// The keys are bytes rather than `String`, because Swift compares strings by canonical
/// equivalence, and a vocabulary may contain a composed and a decomposed "é" as two pieces. One
/// block of bytes and one open hash table hold 256,000 pieces in about 6 MB.
struct PieceTable: Sendable {
    /// The largest id that a file may assign, far above that of any published vocabulary.
    static let largestID = (1 << 21) - 1

    private struct Piece {
        var start: Int32 = 0
        /// The length in bytes, or -1 if no piece has the id.
        var count: Int32 = -1
    }

    private var bytes: [UInt8] = []
    /// The pieces, by id.
    private var pieces: [Piece] = []
    /// The hash table: ids, or -1 for free slots; at most half full.
    private var slots: [Int32]
    private var used = 0

    /// Creates an empty table.
    ///
    /// - Parameter capacity: The expected number of pieces.
    init(capacity: Int) {
        var count = 64
        while count < capacity * 2 { count *= 2 }
        slots = [Int32](repeating: -1, count: count)
    }

    /// The largest id plus 1.
    var count: Int { pieces.count }

    /// Assigns an id to a piece.
    ///
    /// If the piece already has an id, the new one replaces it, as in Python.
    ///
    /// - Parameters:
    ///   - piece: The bytes of the piece.
    ///   - id: The id, from 0 to ``largestID``.
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

    /// Returns the id of a piece.
    func id(of piece: UnsafeBufferPointer<UInt8>) -> Int32? {
        let id = slots[slot(of: piece)]
        return id >= 0 ? id : nil
    }

    /// Returns the id of a piece.
    func id(of piece: some Collection<UInt8>) -> Int32? {
        if let found = piece.withContiguousStorageIfAvailable({ id(of: $0) }) { return found }
        return Array(piece).withUnsafeBufferPointer { id(of: $0) }
    }

    /// Returns the bytes of the piece with an id; `nil` if there is no such piece.
    func bytes(of id: Int) -> ArraySlice<UInt8>? {
        guard pieces.indices.contains(id), pieces[id].count >= 0 else { return nil }
        let start = Int(pieces[id].start)
        return bytes[start..<start + Int(pieces[id].count)]
    }

    /// Returns the spelling of the piece with an id; `nil` if there is no such piece.
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
