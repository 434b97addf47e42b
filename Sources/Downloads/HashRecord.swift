import Foundation
import Storage
import SystemPackage
import Torch

/// The record of the SHA-256 of every file that was downloaded into a folder, `hashes.json`.
///
/// Most checkpoints are published without a hash. The record keeps the hash of the first download,
/// so that a later change of the file, on the server or on the disk, is detected.
struct HashRecord: Sendable {
    private let folder: FilePath
    /// The path of the record.
    var path: FilePath { folder.appending("hashes.json") }

    init(folder: FilePath) {
        self.folder = folder
    }

    /// Returns the recorded hash of a file in the folder, if there is one.
    ///
    /// - Throws: `FileError` if the record is damaged.
    func hash(of name: String) throws -> String? {
        try read()[name]
    }

    /// Records the hash of a file in the folder, unless the record already has one.
    func add(_ hash: String, of name: String) throws {
        // A lock on the folder itself leaves no file behind.
        let descriptor = try FileDescriptor.open(folder, .readOnly, options: [.closeOnExec])
        defer { try? descriptor.close() }
        guard flock(descriptor.rawValue, LOCK_EX) == 0 else { throw Errno(rawValue: errno) }
        var hashes = try read()
        guard hashes[name] == nil else { return }
        hashes[name] = hash
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(encoder.encode(hashes), to: path)
    }

    private func read() throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: path.string) else { return [:] }
        let data = try MappedFile(path).withUnsafeBytes { Data($0) }
        guard let hashes = try? JSONDecoder().decode([String: String].self, from: data) else {
            throw FileError(
                path, .malformed("it is not a list of hashes; delete it to record them again"))
        }
        return hashes
    }

    /// Returns the SHA-256 of a file's bytes, in lower-case hexadecimal.
    ///
    /// - Complexity: O(n) for a file of n bytes.
    /// - Throws: `CancellationError` if the task is cancelled; an error of the file system.
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
                hasher.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
        return hasher.finished().hexadecimal
    }
}
