/// The checksum of zip archives (polynomial 0xEDB88320, reflected), computed piece by piece.
package struct CRC32: Sendable {
    /// The contribution of each byte, at index `256 * k + b` for a byte b that k bytes follow.
    ///
    /// Eight tables process eight bytes per step.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { index in
            (0..<8).reduce(UInt32(index)) { value, _ in
                value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
            }
        }
        for place in 256..<2048 {
            let before = tables[place - 256]
            tables.append(tables[Int(before & 0xFF)] ^ (before >> 8))
        }
        return tables
    }()

    private var state = ~UInt32(0)

    /// Creates the checksum of no bytes.
    package init() {}

    /// The checksum of the bytes so far.
    package var value: UInt32 { ~state }

    /// Appends bytes to the checksum.
    ///
    /// - Complexity: O(n) for n bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        Self.tables.withUnsafeBufferPointer { tables in
            func look(_ table: Int, _ word: UInt32, _ byte: Int) -> UInt32 {
                tables[table << 8 | Int((word >> (8 * byte)) & 0xFF)]
            }
            var place = 0
            while place + 8 <= bytes.count {
                let low =
                    crc ^ bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self).littleEndian
                let high = bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
                    .littleEndian
                crc = look(7, low, 0) ^ look(6, low, 1)
                crc ^= look(5, low, 2) ^ look(4, low, 3)
                crc ^= look(3, high, 0) ^ look(2, high, 1)
                crc ^= look(1, high, 2) ^ look(0, high, 3)
                place += 8
            }
            while place < bytes.count {
                crc = tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[place])] ^ (crc >> 8)
                place += 1
            }
        }
        state = crc
    }

    /// Appends bytes of which only the checksum and the number are known.
    ///
    /// The checksum is a remainder of polynomials over GF(2). Bytes that follow multiply it by x^8
    /// each, and the remainder of those bytes is added.
    ///
    /// - Parameters:
    ///   - other: The checksum of the bytes alone.
    ///   - count: The number of bytes.
    /// - Complexity: O(log n) for n bytes.
    package mutating func append(_ other: CRC32, count: Int) {
        // In reflected order, the highest bit is x^0, and x^8 is eight bits below it.
        var (power, square, rest) = (UInt32(1) << 31, UInt32(1) << 23, count)
        while rest > 0 {
            if rest & 1 == 1 { power = Self.product(power, square) }
            square = Self.product(square, square)
            rest >>= 1
        }
        state = ~(Self.product(power, value) ^ other.value)
    }

    /// Multiplies two remainders in reflected order.
    private static func product(_ a: UInt32, _ b: UInt32) -> UInt32 {
        var (result, shifted) = (UInt32(0), b)
        for bit in (0..<32).reversed() {
            if a >> UInt32(bit) & 1 == 1 { result ^= shifted }
            shifted = shifted & 1 == 1 ? 0xEDB8_8320 ^ (shifted >> 1) : shifted >> 1
        }
        return result
    }

    /// Returns the checksum of `bytes`.
    package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32()
        crc.update(bytes)
        return crc.value
    }
}
