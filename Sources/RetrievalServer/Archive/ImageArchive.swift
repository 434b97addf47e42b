import ImageText
package import SystemPackage

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// An archive of image files, written while they are read.
package struct ImageArchive: Sendable {
    /// A file that is to be in it.
    package struct Item: Sendable {
        let path: FilePath
        /// What people call it.
        let name: String
        let modified: Date

        /// A file.
        package init(path: FilePath, name: String, modified: Date) {
            self.path = path
            self.name = name
            self.modified = modified
        }
    }

    /// The last entry, where files could not be read: one line for each.
    package static let leftOutName = "left-out.txt"
    /// Bytes of a file that are in memory at a time.
    package static let pieceBytes = 256 << 10

    private let items: [Item]
    private let missing: [(name: String, reason: String)]
    private let queue: WorkQueue

    /// An archive of files.
    ///
    /// - Parameters:
    ///   - missing: names of what is known already not to be there, and why.
    ///   - queue: threads that read files.
    package init(
        _ items: [Item], missing: [(name: String, reason: String)] = [], queue: WorkQueue
    ) {
        self.items = items
        self.missing = missing
        self.queue = queue
    }

    /// Gives the archive in pieces, and reads no further until each is taken.
    ///
    /// - Throws: what `take` throws, and `CancellationError`.
    package func write(_ take: ([UInt8]) async throws -> Void) async throws {
        var zip = ZipWriter()
        var names = FolderNames(taken: [Self.leftOutName])
        var leftOut = missing
        for item in items {
            do {
                let file = try await read { try ImageFilePieces(item.path) }
                var piece = try await read { try file.piece(from: 0, atMost: Self.pieceBytes) }
                let name = names.name(item.name, extension: file.kind.fileExtension)
                try await take(zip.begin(name, modified: item.modified))
                var offset: Int64 = 0
                while !piece.isEmpty {
                    piece.withUnsafeBytes { zip.append($0) }
                    offset += Int64(piece.count)
                    try await take(piece)
                    let next = offset
                    do {
                        piece = try await read {
                            try file.piece(from: next, atMost: Self.pieceBytes)
                        }
                    } catch let error as ImageError {
                        // It has begun already; what was read of it stays.
                        leftOut.append((name, "its end \(error.reason)"))
                        piece = []
                    }
                }
                try await take(zip.end())
            } catch let error as ImageError {
                leftOut.append((item.name, error.reason))
            }
        }
        if !leftOut.isEmpty {
            let lines = leftOut.map { "\(Self.line($0.name)): \(Self.line($0.reason))\n" }
            let text = Array(lines.joined().utf8)
            var bytes = zip.begin(Self.leftOutName, modified: Date())
            text.withUnsafeBytes { zip.append($0) }
            bytes += text + zip.end()
            try await take(bytes)
        }
        try await take(zip.finish())
    }

    /// Not a query, which would be turned away where much waits: an archive has begun.
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await queue.run(.upload, body)
    }

    /// A text as one line.
    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
