public import ALBEF
public import SystemPackage
import Torch

/// Keeps a forward index in step with a folder of images.
public struct Indexer: Sendable {
    /// The model that encodes the images.
    public let model: SearchModel
    /// The settings of the indexer.
    public let options: Options
    let work: Work?
    let locator = EntryLocator()

    /// The settings of an indexer, which affect speed, memory and what the index stores.
    public struct Options: Sendable {
        /// The number of images that the encoder processes at once; 0 to choose by the size of the
        /// model.
        public var batchSize: Int
        /// The number of images that are read and resized ahead of the encoder.
        public var decodeAhead: Int
        /// The number of images between two commits, which is also the most that a kill can lose.
        public var commitInterval: Int
        /// The tokens that a new index stores; nil for what an existing index stores, or all
        /// tokens.
        public var budget: TokenBudget?
        /// Whether files with unchanged size and date are read again, to detect changes of their
        /// bytes.
        ///
        /// The default is false.
        public var rereads = false
        /// Whether an index of other weights is changed to the weights of this indexer.
        ///
        /// The default is false: such an index is then an error. The new index is built inside the
        /// directory of the old one. Searches use the old one until the new one has all entries and
        /// replaces it, and both take space until then.
        public var changesModel = false
        /// Whether an index with the same weights but another image size is changed too; false by
        /// default.
        public var changesImageSize = false
        /// The part of a folder's images that the index holds; nil for all of them.
        ///
        /// The index of a shard is never filled with another part; that is an error.
        public var shard: IndexShard?
        /// How long a commit waits while another process writes to the index; 30 seconds by
        /// default.
        public var lockPatience = Duration.seconds(30)

        /// Creates settings.
        ///
        /// - Parameters:
        ///   - batchSize: The number of images that the encoder processes at once; nil to choose by
        ///     the size of the model.
        ///   - decodeAhead: The number of images that are read ahead of the encoder. Default: 8.
        ///   - commitInterval: The number of images between two commits. Default: 128.
        ///   - budget: The tokens that a new index stores; nil for what an existing index stores,
        ///     or all tokens.
        public init(
            batchSize: Int? = nil, decodeAhead: Int = 8, commitInterval: Int = 128,
            budget: TokenBudget? = nil
        ) {
            self.batchSize = batchSize ?? 0
            self.decodeAhead = decodeAhead
            self.commitInterval = commitInterval
            self.budget = budget
        }
    }

    /// The costly parts of an update, for callers that schedule them together with other work.
    public struct Work: Sendable {
        /// Encodes images; the tokens are ignored if the index stores none.
        public var encode: @Sendable ([PreparedImage]) async throws -> EncodedImages
        /// Commits a change to the index, and returns the removed paths that it contained; nil to
        /// commit directly.
        ///
        /// The change may contain vectors that only
        /// ``ForwardIndex/apply(_:to:model:locator:creates:reusing:)`` can read, so it must be
        /// passed on unchanged.
        public var commit: (@Sendable (IndexChange) async throws -> Set<FilePath>)?

        /// Creates the parts of an update.
        public init(
            encode: @escaping @Sendable ([PreparedImage]) async throws -> EncodedImages,
            commit: (@Sendable (IndexChange) async throws -> Set<FilePath>)?
        ) {
            self.encode = encode
            self.commit = commit
        }
    }

    /// The progress of an update.
    public struct Progress: Sendable {
        /// The number of images done, failed ones included.
        public let done: Int
        /// The number of images that this update has to read.
        public let total: Int
        /// Whether the update is waiting for another process that writes to the index.
        public internal(set) var isWaiting = false
        /// Whether the counts are entries of a graph that is being built.
        public internal(set) var isLinking = false
        /// The model of the old index, which answers searches while an index of another model is
        /// built.
        public internal(set) var replaced: String?
    }

    /// The result of an update.
    public struct Report: Sendable {
        /// The number of images that were encoded.
        public internal(set) var encoded = 0
        /// The number of images whose vectors were copied from an entry with the same bytes.
        public internal(set) var reused = 0
        /// The number of images whose entries are unchanged.
        public internal(set) var unchanged = 0
        /// The number of entries that were removed because their files no longer exist.
        public internal(set) var removed = 0
        /// The files and folders that were skipped.
        public internal(set) var failures: [SkippedFile] = []
        /// Whether the update was cancelled; the index then contains everything encoded before.
        public internal(set) var wasCancelled = false
        /// The model of the old index if an index of another model has replaced it, or will after a
        /// cancelled update is repeated; nil if the model stayed the same.
        public internal(set) var replaced: String?

        /// The number of entries that were added, changed or removed.
        public var changed: Int { encoded + reused + removed }
    }

    /// Creates an indexer.
    ///
    /// - Parameters:
    ///   - model: The model that encodes the images.
    ///   - options: The settings of the indexer.
    ///   - work: Encodes and commits; nil to encode in the calling task and to commit directly,
    ///     waiting up to ``Options/lockPatience`` for other writers. If it commits, the index must
    ///     exist.
    public init(_ model: SearchModel, options: Options = Options(), work: Work? = nil) {
        self.model = model
        self.options = options
        self.work = work
    }

    /// Updates an index from a folder, encoding only new and changed images.
    ///
    /// Entries whose files no longer exist in the folder are removed, all of them if the folder is
    /// empty; entries of other folders stay. If the task is cancelled, the update commits the
    /// images encoded so far and returns. Other processes may write to the index meanwhile, because
    /// it is locked only during commits.
    ///
    /// - Parameters:
    ///   - directory: The index, which is created if it does not exist.
    ///   - folder: A folder that contains images at any depth.
    ///   - onProgress: Called after every image.
    /// - Returns: What the update did.
    /// - Throws: ``FolderError`` if the folder is unreadable, or there are neither images nor an
    ///   index; ``IndexError`` if the index cannot be written or was made with another model.
    /// - Complexity: O(n + f) for n entries and f files, in addition to reading and encoding the
    ///   changed files.
    public func update(
        _ directory: FilePath, with folder: FilePath,
        onProgress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        try await update(directory, with: FolderScan(folder), onProgress: onProgress)
    }

    /// Updates an index from a folder that has already been scanned.
    ///
    /// - Parameters:
    ///   - directory: The index, which is created if it does not exist.
    ///   - scan: The images of the folder.
    ///   - metadata: Metadata to store with images, by their paths. If only this has changed, the
    ///     image's entry is replaced without encoding it.
    ///   - onProgress: Called after every image.
    /// - Returns: What the update did.
    /// - Throws: ``FolderError`` if there are neither images nor an index; ``IndexError`` if the
    ///   index cannot be written, was made with another model, or holds another shard.
    /// - Complexity: O(n + f) for n entries and f files, in addition to reading and encoding the
    ///   changed files.
    public func update(
        _ directory: FilePath, with scan: FolderScan,
        metadata: [FilePath: [String: MetadataValue]] = [:],
        onProgress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        let scan = try part(of: scan, for: directory)
        guard let old = try changed(directory) else {
            return try await bring(directory, scan, metadata, onProgress)
        }
        func show(_ progress: Progress) {
            var progress = progress
            progress.replaced = old.model.title
            onProgress(progress)
        }
        return try await change(directory).run {
            show(Progress(done: 0, total: 0, isWaiting: true))
        } onLink: {
            show(Progress(done: $0, total: $1, isLinking: true))
        } build: { old, place in
            let all = try Inheritance(scan, old, notes: metadata)
            var report = try await bring(place, all.scan, all.metadata, show)
            report.removed = all.removed
            return report
        }
    }

    /// Returns the images of the shard.
    ///
    /// - Throws: ``FolderError`` if there are neither images nor an index: an empty folder is
    ///   probably a mistake, a shard without images is none.
    private func part(of scan: FolderScan, for directory: FilePath) throws -> FolderScan {
        guard let shard = options.shard else { return scan }
        if scan.files.isEmpty, !IndexManifest.exists(in: directory) {
            throw FolderError.empty(scan)
        }
        return scan.part(of: shard)
    }

    /// Returns the index if it must be changed to this model, otherwise nil.
    private func changed(_ directory: FilePath) throws -> ForwardIndex? {
        guard options.changesModel, IndexManifest.exists(in: directory) else { return nil }
        let index = try ForwardIndex(directory)
        let isMeant =
            index.content == .images
            && index.isToChange(to: model.signature, imageSize: options.changesImageSize)
        if isMeant { try index.manifest.check(options.shard, in: directory) }
        return isMeant ? index : nil
    }

    private func change(_ directory: FilePath) -> ModelChange {
        ModelChange(
            directory: directory, model: model.signature, budget: options.budget,
            patience: LockPatience(limit: options.lockPatience))
    }

    /// Updates an index of this model.
    private func bring(
        _ directory: FilePath, _ scan: FolderScan,
        _ metadata: [FilePath: [String: MetadataValue]], _ onProgress: (Progress) -> Void
    ) async throws -> Report {
        let snapshot = try await open(directory, scan, onProgress)
        let plan = try UpdatePlan(
            scan, snapshot: snapshot, metadata: metadata, rereads: options.rereads)
        var update = IndexUpdate(self, directory, snapshot, plan)
        update.report.failures = scan.failures
        return try await update.run(onProgress)
    }

    /// Opens the index, and first creates it if it does not exist, so that an unwritable directory
    /// is reported before anything is encoded.
    private func open(
        _ directory: FilePath, _ scan: FolderScan, _ onProgress: (Progress) -> Void
    ) async throws -> ForwardIndex {
        if work?.commit == nil, !IndexManifest.exists(in: directory) {
            guard !scan.files.isEmpty || options.shard != nil else {
                throw FolderError.empty(scan)
            }
            var change = IndexChange()
            change.budget = options.budget
            _ = try await commit(change, to: directory, creates: true) {
                onProgress(Progress(done: 0, total: scan.files.count, isWaiting: true))
            }
        }
        let index = try ForwardIndex(directory)
        locator.forget(except: index)
        try index.check(
            model.signature, content: .images, budget: options.budget, shard: options.shard)
        return index
    }

    func encode(_ pixels: [PreparedImage], keepsTokens: Bool) async throws -> EncodedImages {
        if let work { return try await work.encode(pixels) }
        return try model.encode(pixels: pixels, keepsTokens: keepsTokens)
    }

    /// Joins the files of many commits, and deletes files that a killed writer left behind.
    ///
    /// The update is complete without this step, so a lock or a full disk does not fail the update.
    func tidy(_ directory: FilePath) {
        guard work?.commit == nil else { return }
        while (try? ForwardIndex.tidy(directory)) == true, !Task.isCancelled {}
    }

    func commit(
        _ change: IndexChange, to directory: FilePath, creates: Bool = false,
        reusing snapshot: ForwardIndex? = nil, onWait: () -> Void
    ) async throws -> Set<FilePath> {
        var change = change
        change.shard = options.shard
        if let commit = work?.commit {
            change.model = model.signature
            return try await commit(change)
        }
        return try await LockPatience(limit: options.lockPatience)(onWait: onWait) {
            try ForwardIndex.apply(
                change, to: directory, model: model.signature, locator: locator, creates: creates,
                reusing: snapshot)
        }
    }
}

extension SearchModel {
    /// The default number of images per batch.
    ///
    /// On the CPU a large model is as fast one image at a time. A small one gains from a few images
    /// per batch. The intermediate results of more take blocks that the allocator returns to the
    /// system after every operation, and clearing new pages then takes a third of the time.
    package var defaultBatchSize: Int {
        guard model.device == .cpu else { return 32 }
        let perImage =
            [reader, featureModel].map { each in
                let vision = each.model.configuration.vision
                return vision.tokenCount * vision.width
            }.max() ?? 1
        return max(1, min(4, (1 << 19) / perImage))
    }
}
