/// A zip archive that does not compress its entries, without checksums.
struct StoredArchive {
    private(set) var bytes: [UInt8] = []

    init(_ entries: [(name: String, content: [UInt8])]) {
        var directory: [UInt8] = []
        for (name, content) in entries {
            let start = bytes.count
            let fields =
                Self.number(20, 2) + Self.number(0, 2) + Self.number(0, 6) + Self.number(0, 4)
                + Self.number(content.count, 4) + Self.number(content.count, 4)
                + Self.number(name.utf8.count, 2) + Self.number(0, 2)
            bytes += Array("PK\u{3}\u{4}".utf8) + fields + Array(name.utf8) + content
            directory +=
                Array("PK\u{1}\u{2}".utf8) + Self.number(20, 2) + fields + Self.number(0, 10)
                + Self.number(start, 4) + Array(name.utf8)
        }
        let start = bytes.count
        bytes +=
            directory + Array("PK\u{5}\u{6}".utf8) + Self.number(0, 4)
            + Self.number(entries.count, 2) + Self.number(entries.count, 2)
            + Self.number(directory.count, 4) + Self.number(start, 4) + Self.number(0, 2)
    }

    private static func number(_ number: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { $0 < 8 ? UInt8(truncatingIfNeeded: number >> (8 * $0)) : 0 }
    }
}
