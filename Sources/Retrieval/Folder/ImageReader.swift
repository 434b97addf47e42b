import Storage
import ImageText
import Synchronization
import SystemPackage

/// Reads images ahead of the encoder, on threads of their own.
struct ImageReader: Sendable {
    /// What became of one file.
    enum Outcome: Sendable {
        /// The index has this entry already; the file was read to make sure.
        case unchanged
        /// The index has an entry of the same bytes.
        case known(IndexEntry, ForwardIndex.EntryID)
        /// Another file that this reader has seen has the same bytes.
        case repeated(IndexEntry, ContentDigest)
        /// What the encoders take.
        case pixels(IndexEntry, PreparedImage)
        /// Why the file cannot be read, and what is in it, if that is known.
        case failed(String, ContentDigest?)
    }

    struct Item: Sendable {
        let file: FolderScan.File
        let outcome: Outcome
    }

    /// Digests of the files that were decoded, so that equal ones are decoded once.
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

    /// A reader of the files of a plan.
    ///
    /// - Parameters:
    ///   - known: entries whose vectors may be taken for files of the same bytes.
    ///   - leavesThreads: whether to decode on background threads, so that Swift's own stay free;
    ///     false decodes where the task runs, such as on a queue of the service.
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

    /// Hands over every file's outcome, in the order of the files.
    ///
    /// - Parameter ahead: how many files are read before their turn; bounds memory.
    /// - Throws: `CancellationError` if the task is cancelled, and what `body` throws.
    func read(
        _ files: [FolderScan.File], ahead: Int, _ body: (Item) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Int, Item).self) { group in
            var started = 0
            func startNext() {
                guard started < files.count else { return }
                let (position, file) = (started, files[started])
                started += 1
                group.addTask {
                    let item: @Sendable () -> Item = { Item(file: file, outcome: read(file)) }
                    return (position, leavesThreads ? await onBackgroundThread(item) : item())
                }
            }
            for _ in 0..<ahead { startNext() }
            var finished: [Int: Item] = [:]
            var next = 0
            while let (position, item) = try await group.next() {
                finished[position] = item
                while let item = finished.removeValue(forKey: next) {
                    try Task.checkCancellation()
                    try await body(item)
                    next += 1
                    startNext()
                }
            }
        }
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
