import Storage
import Retrieval
import SystemPackage

/// A file beside the index that is given up when the disk is full, so that images can be removed
/// even then: to forget an image, a new manifest has to be written first.
struct DiskReserve: Sendable {
    private let directory: FilePath
    private let path: FilePath

    /// The reserve of an index; takes nothing yet.
    init(of index: FilePath) {
        directory = index
        // By this ending everything else that reads the directory knows that it is no data.
        path = index.appending("reserve.tmp")
    }

    /// Whether there is a reserve.
    var isThere: Bool { (try? FolderScan.File(path)) != nil }

    /// Takes the space, if there is any; does nothing where there is a reserve or no index.
    func take() {
        guard !isThere else { return }
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite])
            try file.closeAfter {
                // Zeros would take no space on some file systems.
                let block = [UInt8](repeating: 0xA5, count: 64 << 10)
                for _ in 0..<blocks { try file.writeAll(block) }
            }
        } catch {
            giveUp()
        }
    }

    /// Frees the space.
    func giveUp() {
        unlink(path.string)
    }

    /// Enough for the manifest twice, and for what a file system needs besides.
    private var blocks: Int {
        let manifest = try? FolderScan.File(directory.appending("manifest.json"))
        return 16 + 2 * ((manifest?.size ?? 0) / (64 << 10))
    }
}
