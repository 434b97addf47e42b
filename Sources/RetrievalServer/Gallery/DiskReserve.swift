import Retrieval
import Storage
import SystemPackage

/// A file in the index's directory that reserves disk space for removing images.
///
/// The index can remove an image only by writing a new manifest. When the disk is full, the service
/// gives the reserve up to make room for it.
struct DiskReserve: Sendable {
    private let directory: FilePath
    private let path: FilePath

    /// Creates the reserve of an index without occupying space yet.
    init(of index: FilePath) {
        directory = index
        // Other readers of the directory skip files with this suffix.
        path = index.appending("reserve.tmp")
    }

    /// Whether the reserve occupies space.
    var isThere: Bool { (try? FolderScan.File(path)) != nil }

    /// Occupies the space if the disk has enough.
    ///
    /// Does nothing if the reserve exists already or the index does not.
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

    /// Frees the space by deleting the file.
    func giveUp() {
        unlink(path.string)
    }

    /// The size in blocks of 64 KiB: twice the manifest, and 1 MiB for the file system itself.
    private var blocks: Int {
        let manifest = try? FolderScan.File(directory.appending("manifest.json"))
        return 16 + 2 * ((manifest?.size ?? 0) / (64 << 10))
    }
}
