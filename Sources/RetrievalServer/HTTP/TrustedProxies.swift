import HTTPTypes

/// Finds out who a request comes from, where proxies that are believed say so.
struct TrustedProxies: Sendable {
    private static let forwardedFor = HTTPField.Name.known("x-forwarded-for")
    private static let forwarded = HTTPField.Name.known("forwarded")

    private let ranges: [AddressRange]

    /// - Parameter proxies: addresses and networks; those that are neither are left out, see
    ///   ``ServerConfiguration/check(place:)``.
    init(_ proxies: [String]) { ranges = proxies.compactMap(AddressRange.init) }

    /// Whether an address is one of them.
    func isTrusted(_ address: String) -> Bool {
        guard !ranges.isEmpty, let address = InternetAddress(address) else { return false }
        return isTrusted(address)
    }

    private func isTrusted(_ address: InternetAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }

    /// The client's address: the last one on the way that is not a trusted proxy's.
    ///
    /// - Parameter peer: the address at the other end of the connection.
    func client(_ headers: HTTPFields, peer: String) -> String {
        guard !ranges.isEmpty, var client = InternetAddress(peer), isTrusted(client) else {
            return peer
        }
        for hop in Self.hops(headers).reversed() {
            // What a proxy did not understand, it passed on: who is behind it cannot be known.
            guard let address = hop else { break }
            client = address
            guard isTrusted(client) else { break }
        }
        return client.description
    }

    /// The addresses that `X-Forwarded-For`, or where that is missing `Forwarded`, names, the client's
    /// first; nil for what is not an address.
    private static func hops(_ headers: HTTPFields) -> [InternetAddress?] {
        let lines = headers[values: forwardedFor]
        guard lines.isEmpty else {
            return lines.flatMap { $0.split(separator: ",") }.map { address($0) }
        }
        return headers[values: forwarded].flatMap { $0.split(separator: ",") }.map { hop in
            for pair in hop.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0].withoutBlanks.lowercased() == "for" {
                    return address(parts[1])
                }
            }
            return nil
        }
    }

    /// An address, which may be quoted, in brackets, and have a port.
    private static func address(_ text: Substring) -> InternetAddress? {
        var text = text.withoutBlanks
        if text.first == "\"", text.last == "\"", text.count > 1 {
            text = text.dropFirst().dropLast()
        }
        if let address = InternetAddress(text) { return address }
        return Authority(String(text)).flatMap { InternetAddress($0.bareName) }
    }
}

extension Substring {
    /// The text without the blanks around it that a header field may have.
    var withoutBlanks: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
