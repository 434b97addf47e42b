/// The bytes of tar archives whose content alone decides about every byte.
///
/// Owner and time are 0, so archives of equal files are equal.
enum TarWriter {
    /// The two blocks of zeros at the end of an archive.
    static let end = [UInt8](repeating: 0, count: 2 * TarBlock.byteCount)

    /// Returns the header of a file, in POSIX's form of 1988.
    ///
    /// - Parameters:
    ///   - name: The name, ASCII of at most 100 characters.
    ///   - size: The length in bytes, below 8 GiB.
    static func header(name: String, size: Int) -> [UInt8] {
        precondition(name.utf8.count <= 100 && size < 1 << 33)
        var bytes = [UInt8](repeating: 0, count: TarBlock.byteCount)
        func put(_ text: String, at offset: Int) {
            bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        put(name, at: 0)
        put(octal(0o644, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = bytes.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6), at: 148)
        bytes[154] = 0
        return bytes
    }

    /// Returns the zeros after content of this length.
    static func padding(after size: Int) -> [UInt8] {
        [UInt8](
            repeating: 0,
            count: (TarBlock.byteCount - size % TarBlock.byteCount) % TarBlock.byteCount)
    }

    /// Returns the length of a file in an archive, header and padding included.
    static func byteCount(ofFile size: Int) -> Int {
        TarBlock.byteCount + (size + TarBlock.byteCount - 1) / TarBlock.byteCount
            * TarBlock.byteCount
    }
}
