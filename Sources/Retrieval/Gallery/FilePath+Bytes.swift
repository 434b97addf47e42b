package import Foundation
package import SystemPackage

extension FilePath {
    /// The path's bytes as the file system has them, which need not be UTF-8.
    package var bytes: Data {
        withPlatformString { Data(bytes: $0, count: strlen($0)) }
    }

    /// A path of any bytes but zero.
    package init(bytes: Data) {
        let characters = bytes.prefix { $0 != 0 }.map { CInterop.PlatformChar(bitPattern: $0) }
        self = (characters + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
        }
    }

    /// The bytes of the file at this path.
    ///
    /// - Throws: `Errno`.
    package func contents() throws -> [UInt8] {
        let file = try FileDescriptor.open(self, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(Int(try file.seek(offset: 0, from: .end)) + 1)
            try file.seek(offset: 0, from: .start)
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { chunk.deallocate() }
            while case let count = try file.read(into: chunk), count > 0 {
                bytes.append(contentsOf: chunk[..<count])
            }
            return bytes
        }
    }
}
