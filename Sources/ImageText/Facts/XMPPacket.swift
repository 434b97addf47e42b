/// The fields of an XMP packet that are attributes or elements of plain text.
///
/// The packet is searched rather than parsed: packets are often truncated, padded or malformed, and
/// only a few fields are needed.
struct XMPPacket {
    private let bytes: [UInt8]

    /// The maximum length of a value, in bytes.
    private static let longest = 200

    init(_ packet: some Collection<UInt8>) { bytes = Array(packet) }

    /// Returns the first value of a field such as `tiff:Model`, or `nil`.
    func value(_ name: String) -> String? {
        let name = Array(name.utf8)
        var start = bytes.startIndex
        while let found = bytes[start...].firstRange(of: name) {
            if let value = value(after: found.upperBound) { return value }
            start = found.upperBound
        }
        return nil
    }

    /// Returns the value after a name: `="value"`, `='value'` or `>value<`.
    private func value(after name: Int) -> String? {
        var rest = bytes[name...].drop(while: Self.isBlank)
        let end: UInt8
        if rest.first == UInt8(ascii: "=") {
            rest = rest.dropFirst().drop(while: Self.isBlank)
            guard let quote = rest.first, [0x22, 0x27].contains(quote) else { return nil }
            end = quote
        } else if rest.first == UInt8(ascii: ">") {
            end = UInt8(ascii: "<")
        } else {
            return nil
        }
        let value = rest.dropFirst().prefix(Self.longest + 1).prefix { $0 != end }
        guard value.count <= Self.longest, value.endIndex < bytes.endIndex,
            let text = String(validating: value, as: UTF8.self)
        else { return nil }
        return text.unescaped
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}

extension String {
    /// The text with XML's five entities replaced by their characters.
    fileprivate var unescaped: String {
        guard contains("&") else { return self }
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&"),
        ]
        return entities.reduce(self) { $0.replacing($1.0, with: $1.1) }
    }
}
