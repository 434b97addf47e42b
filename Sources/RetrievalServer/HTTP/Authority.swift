/// A host name and an optional port, as in `Host` and `Origin`.
struct Authority: Sendable, Hashable {
    /// The name in lower case; an IPv6 address is in brackets.
    let name: String
    let port: Int?

    /// Reads `NAME` or `NAME:PORT`; nil if it is neither.
    init?(_ text: String) {
        var rest = text[...]
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]"),
                InternetAddress(rest[rest.index(after: rest.startIndex)..<end]) != nil
            else { return nil }
            name = rest[...end].lowercased()
            rest = rest[rest.index(after: end)...]
        } else {
            name = rest.prefix { $0 != ":" }.lowercased()
            rest = rest.drop { $0 != ":" }
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                return nil
            }
        }
        guard rest.first == ":" else {
            guard rest.isEmpty else { return nil }
            port = nil
            return
        }
        rest.removeFirst()
        guard rest.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(rest)
        else { return nil }
        self.port = Int(port)
    }

    /// The name without brackets.
    var bareName: String { name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name }
}
