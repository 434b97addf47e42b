/// Repairs of JSON that other programs write.
package enum JSONText {
    /// Replaces each unpaired surrogate, such as the `\ud83d` that Python writes for half an emoji,
    /// by `\uFFFD`.
    ///
    /// An unpaired surrogate stands for no character, and a strict reader rejects the whole file.
    /// The length does not change, so the positions in later errors stay right. JSON allows a
    /// backslash only inside a string, so this function need not find where strings begin and end.
    ///
    /// - Complexity: O(n) for n bytes.
    package static func repaired(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        let backslash = UInt8(ascii: "\\")
        var place = bytes.startIndex
        while let escape = bytes[place...].firstIndex(of: backslash) {
            guard let code = unit(bytes, at: escape) else {
                place = min(escape + 2, bytes.endIndex)
                continue
            }
            place = escape + 6
            switch code {
            case 0xD800..<0xDC00:
                if let low = unit(bytes, at: place), (0xDC00..<0xE000).contains(low) {
                    place += 6
                } else {
                    bytes.replaceSubrange(escape + 2..<place, with: "FFFD".utf8)
                }
            case 0xDC00..<0xE000: bytes.replaceSubrange(escape + 2..<place, with: "FFFD".utf8)
            default: break
            }
        }
        return bytes
    }

    /// The code unit of the escape `\uXXXX` at an index; nil if there is no such escape.
    private static func unit(_ bytes: ArraySlice<UInt8>, at place: Int) -> UInt16? {
        guard place + 6 <= bytes.endIndex, bytes[place] == UInt8(ascii: "\\"),
            bytes[place + 1] == UInt8(ascii: "u")
        else { return nil }
        return UInt16(String(decoding: bytes[place + 2..<place + 6], as: UTF8.self), radix: 16)
    }
}
