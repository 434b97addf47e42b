package import SystemPackage

/// Reads little-endian numbers from a region of bytes, and never outside it.
package struct ByteCursor {
    package let bytes: UnsafeRawBufferPointer
    package let file: FilePath
    package private(set) var offset: Int

    package init(_ bytes: UnsafeRawBufferPointer, file: FilePath, offset: Int = 0) {
        self.bytes = bytes
        self.file = file
        self.offset = min(max(offset, 0), bytes.count)
    }

    package var remaining: Int { bytes.count - offset }

    package mutating func take(_ count: Int, _ what: String) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else {
            throw FileError(
                file, .truncated(what: what, needed: max(count, 0), available: remaining))
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    package mutating func integer<Value: FixedWidthInteger>(
        _ type: Value.Type, _ what: String
    ) throws -> Value {
        let raw = try take(MemoryLayout<Value>.size, what)
        return Value(littleEndian: raw.loadUnaligned(as: Value.self))
    }

    /// An unsigned 64-bit number that must fit a count of bytes.
    package mutating func size(_ what: String) throws -> Int {
        guard let value = Int(exactly: try integer(UInt64.self, what)) else {
            throw FileError(file, .malformed("\(what) is absurdly large"))
        }
        return value
    }

    package mutating func string(_ count: Int, _ what: String) throws -> String {
        let raw = try take(count, what)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw FileError(file, .malformed("\(what) is not UTF-8 text"))
        }
        return text
    }
}
