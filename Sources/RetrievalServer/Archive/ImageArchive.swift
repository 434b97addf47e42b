import ImageText
package import SystemPackage

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// A zip archive of image files, which is written while the files are read.
package struct ImageArchive: Sendable {
    /// A file to put into the archive.
    package struct Item: Sendable {
        let path: FilePath
        /// The image's name for people.
        let name: String
        let modified: Date

        /// Creates an item.
        package init(path: FilePath, name: String, modified: Date) {
            self.path = path
            self.name = name
            self.modified = modified
        }
    }

    /// The name of the last entry, which lists the unreadable files, one line per file.
    ///
    /// The archive has this entry only if a file could not be read.
    package static let leftOutName = "left-out.txt"
    /// The most bytes of a file in memory at a time.
    package static let pieceBytes = 256 << 10

    private let items: [Item]
    private let missing: [(name: String, reason: String)]
    private let queue: WorkQueue

    /// Creates an archive of files.
    ///
    /// - Parameters:
    ///   - items: The files, in the order of the archive.
    ///   - missing: The names of images without an item, and the reason for each.
    ///   - queue: The threads that read files.
    package init(
        _ items: [Item], missing: [(name: String, reason: String)] = [], queue: WorkQueue
    ) {
        self.items = items
        self.missing = missing
        self.queue = queue
    }

    /// Passes the archive to a closure in pieces, and reads on when the closure returns.
    ///
    /// - Throws: The error that `take` throws; `CancellationError`.
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
                        // The entry has begun, so it keeps the bytes read so far.
                        leftOut.append((name, "incomplete: \(error.reason)"))
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

    /// Reads a file on the queue.
    ///
    /// It runs as an upload, because the queue may refuse a query, and the archive has begun.
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await queue.run(.upload, body)
    }

    /// Returns a text with its line breaks replaced by spaces.
    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
