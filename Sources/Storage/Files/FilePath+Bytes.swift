package import Foundation
package import SystemPackage

extension FilePath {
    /// The path's bytes as the file system stores them, which need not be UTF-8.
    package var bytes: Data {
        withPlatformString { Data(bytes: $0, count: strlen($0)) }
    }

    /// Creates a path from the bytes before the first zero byte.
    package init(bytes: Data) {
        let characters = bytes.prefix { $0 != 0 }.map { CInterop.PlatformChar(bitPattern: $0) }
        self = (characters + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
        }
    }

    /// Returns whether the bytes of `a` sort before those of `b`.
    ///
    /// The comparison allocates no memory, because sorting calls it often.
    package static func precedes(_ a: FilePath, _ b: FilePath) -> Bool {
        a.withPlatformString { a in b.withPlatformString { b in strcmp(a, b) < 0 } }
    }

    /// Reads the whole file at this path, which may be a pipe.
    ///
    /// - Throws: `Errno` if the file cannot be opened or read.
    package func contents() throws -> [UInt8] {
        let file = try FileDescriptor.open(self, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            // A pipe cannot seek, so its length is unknown.
            if let end = try? file.seek(offset: 0, from: .end), end > 0, end < 1 << 40 {
                bytes.reserveCapacity(Int(end) + 1)
                try file.seek(offset: 0, from: .start)
            }
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { chunk.deallocate() }
            while case let count = try file.read(into: chunk), count > 0 {
                bytes.append(contentsOf: chunk[..<count])
            }
            return bytes
        }
    }
}
