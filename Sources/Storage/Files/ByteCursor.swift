package import SystemPackage

/// A position in a region of bytes, from which little-endian numbers and text are read.
///
/// Every read checks the bounds first, so a damaged file causes an error, never a read outside the
/// region.
package struct ByteCursor {
    package let bytes: UnsafeRawBufferPointer
    /// The file that errors name.
    package let file: FilePath
    /// The number of bytes before the next read.
    package private(set) var offset: Int

    /// Creates a cursor over `bytes`.
    ///
    /// - Parameter offset: the first position, clamped to the region; 0 by default.
    package init(_ bytes: UnsafeRawBufferPointer, file: FilePath, offset: Int = 0) {
        self.bytes = bytes
        self.file = file
        self.offset = min(max(offset, 0), bytes.count)
    }

    /// The number of bytes that are left.
    package var remaining: Int { bytes.count - offset }

    /// Returns the next `count` bytes and moves past them.
    ///
    /// - Parameter what: the part of the file that is read, for the error.
    /// - Throws: ``FileError`` if fewer bytes remain.
    package mutating func take(_ count: Int, _ what: String) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else {
            throw FileError(
                file, .truncated(what: what, needed: max(count, 0), available: remaining))
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// Reads a little-endian integer, which need not be aligned.
    package mutating func integer<Value: FixedWidthInteger>(
        _ type: Value.Type, _ what: String
    ) throws -> Value {
        let raw = try take(MemoryLayout<Value>.size, what)
        return Value(littleEndian: raw.loadUnaligned(as: Value.self))
    }

    /// Reads an unsigned 64-bit number of bytes.
    ///
    /// - Throws: ``FileError`` if the number does not fit into `Int`.
    package mutating func size(_ what: String) throws -> Int {
        guard let value = Int(exactly: try integer(UInt64.self, what)) else {
            throw FileError(file, .malformed("\(what) is absurdly large"))
        }
        return value
    }

    /// Reads `count` bytes of UTF-8 text.
    package mutating func string(_ count: Int, _ what: String) throws -> String {
        let raw = try take(count, what)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw FileError(file, .malformed("\(what) is not UTF-8 text"))
        }
        return text
    }
}
