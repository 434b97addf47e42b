import HTTPTypes

/// Finds the address of a client behind trusted proxies.
struct TrustedProxies: Sendable {
    private static let forwardedFor = HTTPField.Name.known("x-forwarded-for")
    private static let forwarded = HTTPField.Name.known("forwarded")

    private let ranges: [AddressRange]

    /// Creates a set of trusted proxies.
    ///
    /// - Parameter proxies: The addresses and networks. This initialiser skips invalid ones, which
    ///   ``ServerConfiguration/check(place:)`` reports.
    init(_ proxies: [String]) { ranges = proxies.compactMap(AddressRange.init) }

    /// Returns whether an address is a trusted proxy's.
    func isTrusted(_ address: String) -> Bool {
        guard !ranges.isEmpty, let address = InternetAddress(address) else { return false }
        return isTrusted(address)
    }

    private func isTrusted(_ address: InternetAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }

    /// Returns the client's address, which is the last hop that is not a trusted proxy.
    ///
    /// - Parameters:
    ///   - headers: The header fields of the request.
    ///   - peer: The address at the other end of the connection.
    func client(_ headers: HTTPFields, peer: String) -> String {
        guard !ranges.isEmpty, var client = InternetAddress(peer), isTrusted(client) else {
            return peer
        }
        for hop in Self.hops(headers).reversed() {
            // A hop without a valid address hides the hops before it.
            guard let address = hop else { break }
            client = address
            guard isTrusted(client) else { break }
        }
        return client.description
    }

    /// Returns the hops in `X-Forwarded-For` or, if that is missing, in `Forwarded`, the client first.
    ///
    /// A hop without a valid address is nil.
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

    /// Reads an address, which may be quoted or in brackets, and may have a port.
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
    /// The text without spaces and tabs at either end.
    var withoutBlanks: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
