/// SentencePiece's rules that replace characters, in the format of its files.
///
/// The format is `precompiled_charsmap`: the size of a double array (four bytes, little-endian),
/// the array, and all results, each ended by a zero byte. The array is a trie of the UTF-8 of the
/// characters (Aoe, 1989, in the layout of the library darts-clone); a value in it is the offset of
/// a result. Every step is checked against the bounds of the array, so that a crafted file can
/// cause wrong texts at worst.
struct CharacterMap: Sendable, Hashable {
    /// The reason that bytes are not such rules.
    enum Fault: Error, CustomStringConvertible {
        case short
        case size(Int)
        case result(Int)

        var description: String {
            switch self {
            case .short: "it contains no double array"
            case .size(let size): "it cannot contain a double array of \(size) bytes"
            case .result(let length):
                "a result has \(length) bytes; the limit is \(TextNormalizer.maximumGrowth)"
            }
        }
    }

    private let units: [UInt32]
    private let results: [UInt8]
    /// The number of bytes of the longest result, which may replace one byte.
    let longestResult: Int

    /// Reads the bytes of `precompiled_charsmap`.
    init(_ bytes: some Collection<UInt8>) throws(Fault) {
        let bytes = Array(bytes)
        func unit(_ place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
        }
        if bytes.count <= 4 { throw .short }
        let size = Int(unit(0))
        if size % 4 != 0 || size >= bytes.count - 4 { throw .size(size) }
        units = (0..<size / 4).map { unit(4 + 4 * $0) }
        // A last result without a zero byte ends with the bytes.
        results = Array(bytes[(4 + size)...]) + [0]
        longestResult = results.split(separator: 0).map(\.count).max() ?? 0
        if longestResult > TextNormalizer.maximumGrowth { throw .result(longestResult) }
    }

    /// Returns the result for the longest matching characters at a position, and their end.
    ///
    /// Without a match the result is `nil`.
    func longestRule(
        _ bytes: UnsafeBufferPointer<UInt8>, at place: Int
    ) -> (result: ArraySlice<UInt8>, end: Int)? {
        var found: (Int, Int)?
        walk(bytes, from: place, to: bytes.count) { value, end in
            found = (value, end)
            return true
        }
        return found.map { (result(at: $0.0), $0.1) }
    }

    /// Returns the result for the shortest matching characters at a position.
    private func shortestRule(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int
    ) -> ArraySlice<UInt8>? {
        var found: Int?
        walk(bytes, from: start, to: end) { value, _ in
            found = value
            return false
        }
        return found.map(result)
    }

    /// Applies the rules as the `tokenizers` library does, one grapheme cluster after another.
    ///
    /// In a cluster of fewer than six bytes, the shortest rule at its start replaces the whole
    /// cluster. Otherwise each scalar is replaced by its own rule.
    func normalizedByCharacters(_ text: [UInt8]) -> [UInt8] {
        var normalized: [UInt8] = []
        normalized.reserveCapacity(text.count)
        for character in String(decoding: text, as: UTF8.self) {
            Array(character.utf8).withUnsafeBufferPointer { bytes in
                if bytes.count < 6, let rule = shortestRule(bytes, from: 0, to: bytes.count) {
                    normalized.append(contentsOf: rule)
                    return
                }
                var place = 0
                while place < bytes.count {
                    let end = place + UTF8Text.width(bytes[place])
                    if let rule = shortestRule(bytes, from: place, to: end) {
                        normalized.append(contentsOf: rule)
                    } else {
                        normalized.append(contentsOf: bytes[place..<end])
                    }
                    place = end
                }
            }
        }
        return normalized
    }

    /// Visits the values of all prefixes of some bytes, the shortest first, until `visit` returns
    /// `false`.
    private func walk(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int,
        _ visit: (_ value: Int, _ end: Int) -> Bool
    ) {
        guard let root = units.first else { return }
        var node = Self.offset(root)
        for place in start..<end {
            let label = UInt32(bytes[place])
            node ^= Int(label)
            guard node < units.count else { return }
            let unit = units[node]
            // The highest bit marks a value, which is not a step.
            guard unit & 0x8000_00FF == label else { return }
            node ^= Self.offset(unit)
            if unit & 0x100 != 0 {
                guard node < units.count else { return }
                if !visit(Int(units[node] & 0x7FFF_FFFF), place + 1) { return }
            }
        }
    }

    private static func offset(_ unit: UInt32) -> Int {
        Int(unit >> 10) << Int((unit & 0x200) >> 6)
    }

    private func result(at place: Int) -> ArraySlice<UInt8> {
        guard place < results.count else { return [] }
        return results[place...].prefix { $0 != 0 }
    }
}
