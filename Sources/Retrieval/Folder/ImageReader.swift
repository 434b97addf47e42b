import ImageText
import Storage
import Synchronization
import SystemPackage

/// Reads images ahead of the encoder, on separate threads.
struct ImageReader: Sendable {
    /// The result of reading one file.
    enum Outcome: Sendable {
        /// The index already has this entry; the file was read to verify it.
        case unchanged
        /// The index has another entry with the same bytes.
        case known(IndexEntry, ForwardIndex.EntryID)
        /// Another file that this reader has read has the same bytes.
        case repeated(IndexEntry, ContentDigest)
        /// The input of the encoders.
        case pixels(IndexEntry, PreparedImage)
        /// The reason why the file cannot be read, and the digest of its bytes if they could
        /// be.
        case failed(String, ContentDigest?)
    }

    struct Item: Sendable {
        let file: FolderScan.File
        let outcome: Outcome
    }

    /// The digests of decoded files, so that equal files are decoded once.
    private final class Seen: Sendable {
        private let digests = Mutex<Set<ContentDigest>>([])

        func insert(_ digest: ContentDigest) -> Bool {
            digests.withLock { $0.insert(digest).inserted }
        }
    }

    private let model: SearchModel
    private let known: [ContentDigest: ForwardIndex.EntryID]
    private let replaced: [FilePath: IndexEntry]
    private let metadata: [FilePath: [String: MetadataValue]]
    private let leavesThreads: Bool
    private let seen = Seen()

    /// Creates a reader for the files of a plan.
    ///
    /// - Parameters:
    ///   - model: The model that will encode the images.
    ///   - plan: The plan of the update.
    ///   - known: Entries whose vectors can be reused for files with the same bytes.
    ///   - leavesThreads: Whether to decode on background threads and keep Swift's concurrency
    ///     threads free; if false, decoding runs where the task does, such as on a queue of the
    ///     service.
    init(
        model: SearchModel, plan: UpdatePlan, known: [ContentDigest: ForwardIndex.EntryID],
        leavesThreads: Bool
    ) {
        self.model = model
        self.leavesThreads = leavesThreads
        self.known = known
        replaced = plan.replaced
        metadata = plan.metadata
    }

    /// Passes every file's outcome to a closure, in the order of the files.
    ///
    /// - Parameters:
    ///   - files: The files to read.
    ///   - ahead: The number of files to read ahead, which bounds memory.
    ///   - body: Receives each outcome.
    /// - Throws: `CancellationError` if the task is cancelled; the errors of `body`.
    func read(
        _ files: [FolderScan.File], ahead: Int, _ body: (Item) async throws -> Void
    ) async throws {
        try await ReadAhead(ahead: ahead, leavesThreads: leavesThreads) { (file: FolderScan.File) in
            Item(file: file, outcome: read(file))
        }(files, body)
    }

    private func read(_ file: FolderScan.File) -> Outcome {
        var digest: ContentDigest?
        do throws(ImageError) {
            let bytes = try ImageLoader.bytes(of: file.path)
            let found = ContentDigest(of: bytes)
            digest = found
            let entry = IndexEntry(
                path: file.path, size: file.size, modified: file.modified,
                sha256: found.hexadecimal, about: ImageFacts(of: bytes),
                metadata: metadata[file.path] ?? [:])
            if replaced[file.path] == entry { return .unchanged }
            if let same = known[found] { return .known(entry, same) }
            guard seen.insert(found) else { return .repeated(entry, found) }
            return .pixels(
                entry, try model.pixels(of: bytes, named: file.path.description))
        } catch {
            return .failed(error.reason, digest)
        }
    }
}
