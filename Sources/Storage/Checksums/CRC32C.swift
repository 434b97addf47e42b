/// The Castagnoli checksum (polynomial 0x82F63B78, reflected; RFC 3720), which frames TensorFlow's
/// records.
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? 0x82F6_3B78 ^ (value >> 1) : value >> 1
        }
    }

    /// Returns the checksum of `bytes`.
    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        return ~bytes.reduce(~UInt32(0)) {
            table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8)
        }
    }

    /// Returns the masked checksum that a TFRecord stores: the checksum, rotated by 15 bits to the
    /// right, plus a constant.
    ///
    /// The mask is for data that contains checksums itself.
    package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let checksum = checksum(bytes)
        return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }
}
