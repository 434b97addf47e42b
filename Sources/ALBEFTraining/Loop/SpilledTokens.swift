package import Foundation
internal import SystemPackage
package import Torch
import WeightFiles

/// The tokens of many images, in memory if they are few and otherwise in unlinked temporary files.
package struct SpilledTokens {
    /// The blocks added so far.
    package private(set) var blocks: [Tensor] = []
    private let spills: Bool
    private let folder: FilePath

    /// Creates a store for the tokens of some images.
    ///
    /// - Parameters:
    ///   - byteCount: The size of all tokens in bytes.
    ///   - memory: The largest size to keep in memory, in bytes. Default: 1 GiB.
    ///   - folder: The folder for larger sizes. Default: the system's temporary directory.
    package init(
        byteCount: Int, memory: Int = 1 << 30, folder: URL = FileManager.default.temporaryDirectory
    ) {
        spills = byteCount > memory
        // The path as the file system spells it: a space rather than "%20".
        self.folder = FilePath(folder.path(percentEncoded: false))
    }

    /// Adds the tokens of the next images.
    ///
    /// - Throws: `FileError` if the folder has too little space.
    package mutating func append(_ tokens: Tensor) throws {
        guard spills else {
            blocks.append(tokens)
            return
        }
        let path = folder.appending("albef-\(UUID().uuidString).tokens")
        try SafetensorsWriter.write([tokens.entry(named: "tokens")], to: path)
        // An unlinked file disappears with its last reader, even if that is killed.
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        blocks.append(try Tensor(SafetensorsFile(path).tensor("tokens")))
    }
}
