import Storage
/// An IPv4 or IPv6 address.
struct InternetAddress: Sendable, Hashable, CustomStringConvertible {
    /// The 4 bytes of an IPv4 address, also of one mapped to IPv6, or the 16 of an IPv6 address.
    let bytes: [UInt8]

    /// Reads an address without a port; nil if the text is not an address.
    init?(_ text: some StringProtocol) {
        let text = String(text)
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let all = withUnsafeBytes(of: six) { Array($0) }
            let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10] == 255 && all[11] == 255
            bytes = isMapped ? Array(all.suffix(4)) : all
        } else {
            return nil
        }
    }

    var description: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isWritten = bytes.withUnsafeBytes {
            inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(text.count)) != nil
        }
        return isWritten ? text.withUnsafeBufferPointer { Self.text($0) } : ""
    }

    private static func text(_ characters: UnsafeBufferPointer<CChar>) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A range of addresses with a common prefix, such as `10.0.0.0/8`, or a single address.
struct AddressRange: Sendable, Hashable {
    private let address: InternetAddress
    private let bits: Int

    /// Reads `ADDRESS` or `ADDRESS/BITS`; nil if it is neither.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = InternetAddress(first) else { return nil }
        let width = address.bytes.count * 8
        guard parts.count == 2 else {
            self.address = address
            bits = width
            return
        }
        guard let bits = Int(parts[1]), (0...width).contains(bits) else { return nil }
        self.address = address
        self.bits = bits
    }

    /// Returns whether an address lies in the range.
    func contains(_ other: InternetAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        return (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return address.bytes[bit / 8] & mask == other.bytes[bit / 8] & mask
        }
    }
}
