import Storage
import Crypto
import Foundation
import SystemPackage
import Torch

/// The SHA-256 of every file that was downloaded into a folder, in its `hashes.json`.
///
/// Most checkpoints are published without a hash. The first download's is kept here, so that any
/// later change of the file, on the server or on disk, is noticed.
struct HashRecord: Sendable {
    private let folder: FilePath
    /// The file of hashes.
    var path: FilePath { folder.appending("hashes.json") }

    init(folder: FilePath) {
        self.folder = folder
    }

    /// The recorded hash of a file in the folder.
    func hash(of name: String) throws -> String? {
        try read()[name]
    }

    /// Records the hash of a file in the folder, unless there is one.
    func add(_ hash: String, of name: String) throws {
        // Locking the folder itself leaves no lock file behind.
        let descriptor = try FileDescriptor.open(folder, .readOnly, options: [.closeOnExec])
        defer { try? descriptor.close() }
        guard flock(descriptor.rawValue, LOCK_EX) == 0 else { throw Errno(rawValue: errno) }
        var hashes = try read()
        guard hashes[name] == nil else { return }
        hashes[name] = hash
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(hashes).write(to: URL(filePath: path.string), options: .atomic)
    }

    private func read() throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: path.string) else { return [:] }
        let data = try MappedFile(path).withUnsafeBytes { Data($0) }
        guard let hashes = try? JSONDecoder().decode([String: String].self, from: data) else {
            throw FileError(
                path, .malformed("it is not a list of hashes; delete it to record them anew"))
        }
        return hashes
    }

    /// The SHA-256 of a file's bytes, in lower-case hexadecimal.
    ///
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    static func sha256(of file: FilePath) throws -> String {
        let (descriptor, _) = try RegularFile.open(file)
        defer { try? descriptor.close() }
        var hasher = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            try Task.checkCancellation()
            let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            if count == 0 { break }
            buffer.withUnsafeBytes { bytes in
                hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
        return hasher.hexadecimal()
    }
}
