public import ALBEF
public import SystemPackage
import Torch

/// Keeps a forward index in step with a folder of images.
public struct Indexer: Sendable {
    /// What encodes the images.
    public let model: SearchModel
    let options: Options
    let work: Work?
    let locator = EntryLocator()

    /// Knobs that change speed, memory and what is kept.
    public struct Options: Sendable {
        /// Images that the encoder takes at once; 0 chooses by the size of the model.
        public var batchSize: Int
        /// Images that are read and resized ahead of the encoder.
        public var decodeAhead: Int
        /// Images between two commits; what a kill can lose.
        public var commitInterval: Int
        /// What a new index keeps of tokens; nil for what the index keeps, or all.
        public var budget: TokenBudget?
        /// Whether files of the same size and date as before are read again, to see whether their
        /// bytes have changed; false by default.
        public var rereads = false
        /// Whether an index of other weights is changed to those of this indexer; false by default,
        /// which makes it an error.
        ///
        /// The new one is built inside the directory of the old, which searches use until the new
        /// one has all entries and takes its place. Both take space until then.
        public var changesModel = false
        /// Whether an index of the same weights and another size of the images is changed too.
        public var changesImageSize = false
        /// How long a commit waits while another process writes to the index; default 30 seconds.
        public var lockPatience = Duration.seconds(30)

        /// Sets the knobs; nil chooses the batch by the size of the model.
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

    /// Does the costly parts of an update, where they have to take turns with other work.
    public struct Work: Sendable {
        /// Encodes images; tokens are not looked at in an index that keeps none.
        public var encode: @Sendable ([PreparedImage]) async throws -> EncodedImages
        /// Commits a change to the index, and returns which of the paths to remove were there; nil
        /// commits directly.
        ///
        /// The change may hold vectors that only
        /// ``ForwardIndex/apply(_:to:model:locator:creates:reusing:)`` can read, so it has to be
        /// passed on as it is.
        public var commit: (@Sendable (IndexChange) async throws -> Set<FilePath>)?

        /// Takes the parts.
        public init(
            encode: @escaping @Sendable ([PreparedImage]) async throws -> EncodedImages,
            commit: (@Sendable (IndexChange) async throws -> Set<FilePath>)?
        ) {
            self.encode = encode
            self.commit = commit
        }
    }

    /// How far an update is.
    public struct Progress: Sendable {
        /// Images that are done, failed ones included.
        public let done: Int
        /// Images that have to be read in this update.
        public let total: Int
        /// Whether the update waits while another process writes to the index.
        public internal(set) var isWaiting = false
        /// Whether what is counted are the entries of a graph that is made again.
        public internal(set) var isLinking = false
        /// The model whose index answers meanwhile, where this builds one of another model.
        public internal(set) var replaced: String?
    }

    /// What an update did.
    public struct Report: Sendable {
        /// Images that went through the image encoder.
        public internal(set) var encoded = 0
        /// Images whose vectors were copied from an entry with the same bytes.
        public internal(set) var reused = 0
        /// Images that were in the index and have not changed.
        public internal(set) var unchanged = 0
        /// Entries whose files are gone.
        public internal(set) var removed = 0
        /// Files and folders that were skipped.
        public internal(set) var failures: [SkippedFile] = []
        /// True if the update was cancelled; what was encoded until then is in the index.
        public internal(set) var wasCancelled = false
        /// The model whose index one of another model has replaced, or will if this was cancelled;
        /// nil where the model stayed the same.
        public internal(set) var replaced: String?

        /// Entries that differ from before.
        public var changed: Int { encoded + reused + removed }
    }

    /// Creates an indexer.
    ///
    /// - Parameter work: encodes and commits; nil encodes in the calling task and commits directly,
    ///   waiting ``Options/lockPatience`` for other writers. Where it commits, the index has to
    ///   exist.
    public init(_ model: SearchModel, options: Options = Options(), work: Work? = nil) {
        self.model = model
        self.options = options
        self.work = work
    }

    /// Brings an index up to date with a folder, encoding only what is new or changed.
    ///
    /// Entries whose files vanished from the folder are removed, all of them where the folder is
    /// empty; entries of other folders stay. Cancelling the task commits what was encoded and
    /// returns. Others may write to the index meanwhile: it is locked for single commits alone.
    ///
    /// - Parameters:
    ///   - directory: the index; created if it does not exist.
    ///   - folder: images, in folders of any depth.
    ///   - onProgress: called after every image.
    /// - Throws: ``FolderError`` if the folder is unreadable, or there are neither images nor an
    ///   index; ``IndexError`` if the index cannot be written or was made with another model.
    public func update(
        _ directory: FilePath, with folder: FilePath,
        onProgress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        try await update(directory, with: FolderScan(folder), onProgress: onProgress)
    }

    /// Brings an index up to date with a folder that was looked through already.
    ///
    /// - Parameters:
    ///   - directory: the index; created if it does not exist.
    ///   - scan: the images that there are.
    ///   - metadata: what to note of images besides, by their paths. An image that is unchanged
    ///     but for this is noted anew, without encoding it.
    ///   - onProgress: called after every image.
    /// - Throws: ``FolderError`` if there are neither images nor an index; ``IndexError`` if the
    ///   index cannot be written or was made with another model.
    /// - Complexity: O(n + f) for n entries and f files, besides reading and encoding what changed.
    public func update(
        _ directory: FilePath, with scan: FolderScan,
        metadata: [FilePath: [String: MetadataValue]] = [:],
        onProgress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
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

    /// The index, if it is to be changed to this model; nil if not.
    private func changed(_ directory: FilePath) throws -> ForwardIndex? {
        guard options.changesModel, IndexManifest.exists(in: directory) else { return nil }
        let index = try ForwardIndex(directory)
        let isMeant =
            index.content == .images
            && index.isToChange(to: model.signature, imageSize: options.changesImageSize)
        return isMeant ? index : nil
    }

    private func change(_ directory: FilePath) -> ModelChange {
        ModelChange(
            directory: directory, model: model.signature, budget: options.budget,
            patience: LockPatience(limit: options.lockPatience))
    }

    /// Brings an index of this model up to date.
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

    /// The index, which is created if it does not exist, so that what cannot be written is reported
    /// before anything is encoded.
    private func open(
        _ directory: FilePath, _ scan: FolderScan, _ onProgress: (Progress) -> Void
    ) async throws -> ForwardIndex {
        if work?.commit == nil, !IndexManifest.exists(in: directory) {
            guard !scan.files.isEmpty else { throw FolderError.empty(scan) }
            var change = IndexChange()
            change.budget = options.budget
            _ = try await commit(change, to: directory, creates: true) {
                onProgress(Progress(done: 0, total: scan.files.count, isWaiting: true))
            }
        }
        let index = try ForwardIndex(directory)
        locator.forget(except: index)
        try index.check(model.signature, content: .images, budget: options.budget)
        return index
    }

    func encode(_ pixels: [PreparedImage], keepsTokens: Bool) async throws -> EncodedImages {
        if let work { return try await work.encode(pixels) }
        return try model.encode(pixels: pixels, keepsTokens: keepsTokens)
    }

    /// Joins the files of many commits, and removes what a writer that was killed left behind.
    ///
    /// The update is complete without it, so a lock or a full disk does not fail the update.
    func tidy(_ directory: FilePath) {
        guard work?.commit == nil else { return }
        while (try? ForwardIndex.tidy(directory)) == true, !Task.isCancelled {}
    }

    func commit(
        _ change: IndexChange, to directory: FilePath, creates: Bool = false,
        reusing snapshot: ForwardIndex? = nil, onWait: () -> Void
    ) async throws -> Set<FilePath> {
        if let commit = work?.commit {
            var change = change
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
    /// Larger batches feed small models; a large one is as fast image by image on a processor.
    package var defaultBatchSize: Int {
        guard model.device == .cpu else { return 32 }
        let perImage =
            [reader, featureModel].map { each in
                let vision = each.model.configuration.vision
                return vision.tokenCount * vision.width
            }.max() ?? 1
        return max(1, min(32, (1 << 19) / perImage))
    }
}
