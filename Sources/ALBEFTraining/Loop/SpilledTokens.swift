import WeightFiles
package import Foundation
internal import SystemPackage
package import Torch

/// Keeps the tokens of a gallery in memory as long as they are few, and else in nameless files.
package struct SpilledTokens {
    /// The blocks so far.
    package private(set) var blocks: [Tensor] = []
    private let spills: Bool
    private let folder: FilePath

    /// Room for the tokens of some images.
    ///
    /// - Parameters:
    ///   - byteCount: what they take in all.
    ///   - memory: what may stay in memory, in bytes; default 1 GB.
    ///   - folder: where else they go; default: the system's temporary directory.
    package init(
        byteCount: Int, memory: Int = 1 << 30, folder: URL = FileManager.default.temporaryDirectory
    ) {
        spills = byteCount > memory
        // As the file system has it: a space is a space, not "%20".
        self.folder = FilePath(folder.path(percentEncoded: false))
    }

    /// Adds the tokens of the next images.
    ///
    /// - Throws: `FileError` if the folder has no room for them.
    package mutating func append(_ tokens: Tensor) throws {
        guard spills else {
            blocks.append(tokens)
            return
        }
        let path = folder.appending("albef-\(UUID().uuidString).tokens")
        try SafetensorsWriter.write([tokens.entry(named: "tokens")], to: path)
        // Without a name it goes with its last reader, even if that is killed.
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        blocks.append(try Tensor(SafetensorsFile(path).tensor("tokens")))
    }
}
