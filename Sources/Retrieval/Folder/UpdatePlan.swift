import SystemPackage

/// What has to be done to bring an index up to date with a folder.
struct UpdatePlan {
    /// Files that have to be read.
    var changed: [FolderScan.File] = []
    /// The entries that there are of changed files.
    var replaced: [FilePath: IndexEntry] = [:]
    /// Paths of entries whose files are gone.
    var vanished: [FilePath] = []
    /// How many files are in the index as they are.
    var unchanged = 0
    /// The metadata of changed files: what is given, or else what their entries have.
    var metadata: [FilePath: [String: MetadataValue]] = [:]

    /// Compares a folder with an index.
    ///
    /// - Parameter rereads: whether files of the same size and date have to be read as well.
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
        // A folder that cannot be read now says nothing about the images in it.
        vanished = known.keys.filter(scan.covers)
    }
}

extension IndexEntry {
    /// Whether an image file is as it was when this entry was made, and was read for all that
    /// entries have today.
    ///
    /// - Parameter metadata: what the entry should say besides; nil for whatever it says.
    func describes(_ file: FolderScan.File, _ metadata: [String: MetadataValue]?) -> Bool {
        size == file.size && modified == file.modified && about != nil
            && (metadata ?? self.metadata) == self.metadata
    }
}
