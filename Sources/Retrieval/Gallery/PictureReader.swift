import ImageText
import SystemPackage

/// Reads pictures ahead of the encoder, on as many threads as Swift's pool has.
struct PictureReader: Sendable {
    /// What became of one file.
    enum Outcome: Sendable {
        /// The index has an entry of the same bytes.
        case known(IndexEntry, ForwardIndex.EntryID)
        /// Normalised pixels `[3, S, S]`, ready for the encoder.
        case pixels(IndexEntry, [Float])
        case failed(String)
    }

    struct Item: Sendable {
        let file: FolderScan.File
        let outcome: Outcome
    }

    let model: SearchModel
    /// Entries that need no encoding, by the digest of their files.
    let known: [ContentDigest: ForwardIndex.EntryID]
    /// What is given of pictures besides their files.
    let metadata: [FilePath: [String: MetadataValue]]

    /// Hands over every file's outcome, in the order of the files.
    ///
    /// - Parameter ahead: how many files are read before their turn; bounds memory.
    /// - Throws: `CancellationError` if the task is cancelled, and what `body` throws.
    func read(
        _ files: [FolderScan.File], ahead: Int, _ body: (Item) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Int, Item).self) { group in
            var started = 0
            func startNext() {
                guard started < files.count else { return }
                let (position, file) = (started, files[started])
                started += 1
                group.addTask { (position, Item(file: file, outcome: read(file))) }
            }
            for _ in 0..<ahead { startNext() }
            var finished: [Int: Item] = [:]
            var next = 0
            while let (position, item) = try await group.next() {
                finished[position] = item
                while let item = finished.removeValue(forKey: next) {
                    try Task.checkCancellation()
                    try body(item)
                    next += 1
                    startNext()
                }
            }
        }
    }

    private func read(_ file: FolderScan.File) -> Outcome {
        do {
            let bytes = try file.path.contents()
            let digest = ContentDigest(of: bytes)
            let entry = IndexEntry(
                path: file.path, size: file.size, modified: file.modified,
                sha256: digest.hexadecimal, metadata: metadata[file.path] ?? [:])
            if let same = known[digest] { return .known(entry, same) }
            let image = try model.loader.load(bytes, named: file.path.description)
            return .pixels(entry, model.transform(image))
        } catch let error as ImageError {
            return .failed(error.reason)
        } catch {
            return .failed("\(error)")
        }
    }
}
