import SystemPackage

/// The steps that bring an index up to date with a folder.
struct UpdatePlan {
    /// The files that have to be read.
    var changed: [FolderScan.File] = []
    /// The current entries of changed files.
    var replaced: [FilePath: IndexEntry] = [:]
    /// The paths of entries whose files no longer exist.
    var vanished: [FilePath] = []
    /// The number of files whose entries are unchanged.
    var unchanged = 0
    /// The metadata of changed files: the given metadata, or that of their current entries.
    var metadata: [FilePath: [String: MetadataValue]] = [:]

    /// Compares a folder with an index.
    ///
    /// - Parameters:
    ///   - scan: The files of the folder.
    ///   - snapshot: The index.
    ///   - metadata: New metadata, by the paths of images.
    ///   - rereads: Whether to read files with unchanged size and date again.
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n + f) for n entries and f files.
    init(
        _ scan: FolderScan, snapshot: ForwardIndex, metadata: [FilePath: [String: MetadataValue]],
        rereads: Bool
    ) throws {
        var known: [FilePath: IndexEntry] = [:]
        for id in snapshot.ids {
            let entry = try snapshot.entry(id)
            known[entry.path] = entry
        }
        for file in scan.files {
            let old = known.removeValue(forKey: file.path)
            if let old, !rereads, old.describes(file, metadata[file.path]) {
                unchanged += 1
            } else {
                replaced[file.path] = old
                self.metadata[file.path] = metadata[file.path] ?? old?.metadata
                changed.append(file)
            }
        }
        // Files in a folder that cannot be read now may still exist.
        vanished = known.keys.filter(scan.covers)
    }
}

extension IndexEntry {
    /// Returns whether this entry describes the current state of an image file completely.
    ///
    /// - Parameters:
    ///   - file: The current state of the file.
    ///   - metadata: The metadata that the entry should have; nil for any.
    func describes(_ file: FolderScan.File, _ metadata: [String: MetadataValue]?) -> Bool {
        size == file.size && modified == file.modified && about != nil
            && (metadata ?? self.metadata) == self.metadata
    }
}
