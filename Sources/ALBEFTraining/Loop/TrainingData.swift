import ImageText
import Storage
import SystemPackage

/// The training data that the settings of a run name.
struct TrainingData: Sendable {
    /// What the data consist of.
    enum Content: Sendable {
        /// Images with captions in annotation files.
        case annotations(CaptionDataset)
        /// Shards, with their counts unless the settings say how many samples an epoch has.
        case shards(ShardSet)
        /// The items of a downstream task.
        case items(TaskItems)
    }

    let content: Content
    /// Reports damaged shards, each fault once.
    let damages: ShardDamages
    /// Whether the counts of the shards were found out by reading them.
    private let isCounted: Bool

    /// The captioned images of annotations; nil if the data are others.
    var annotations: CaptionDataset? {
        if case .annotations(let dataset) = content { dataset } else { nil }
    }

    /// Reads annotations, or finds shards and the number of their samples.
    ///
    /// - Parameters:
    ///   - file: The file with the counts of an earlier start of the run, which need not exist.
    ///   - opener: Opens shards.
    ///   - ranks: The processes that train together, of which the first counts for all.
    ///   - report: Called for the progress of counting, and for damaged shards.
    /// - Throws: `DatasetError` that describes the fault in the data; `CancellationError` if the
    ///   task is cancelled while shards are counted.
    init(
        _ configuration: TrainingConfiguration, counts file: FilePath, opener: ShardOpener,
        ranks: TrainingRanks,
        report: @escaping @Sendable (TrainingRun.Event) -> Void
    ) throws {
        let data = configuration.data
        let damages = ShardDamages { report(.damagedShard($0)) }
        self.damages = damages
        guard !configuration.model.task.readsItems else {
            content = .items(try TaskItems(data.train, configuration))
            isCounted = false
            return
        }
        guard data.usesShards else {
            content = .annotations(
                try CaptionDataset(
                    reading: data.train.map { FilePath($0) },
                    imageRoot: data.images.map { FilePath($0) }))
            isCounted = false
            return
        }
        let shards = try ShardSet(data.train, opener: opener)
        var isCounted = false
        let counts = try ranks.decided { () throws -> [Int]? in
            if let counts = shards.counts { return counts }
            if let counts = try Self.counts(in: file, of: shards) { return counts }
            guard data.samplesPerEpoch == 0 else { return nil }
            isCounted = true
            let total = shards.addresses.count
            report(.counting(done: 0, of: total))
            var counted = shards
            try counted.count(opener: opener, onDamage: { damages.add($0) }) { done in
                report(.counting(done: done, of: total))
            }
            return counted.counts
        }
        guard counts.map({ $0.count == shards.addresses.count }) ?? true else {
            throw TrainingError.setting(
                "data.train",
                "names \(shards.addresses.count) shards in process \(ranks.rank), but others in the"
                    + " first one; give all processes the same shards")
        }
        content = .shards(ShardSet(shards.addresses, counts: counts))
        self.isCounted = isCounted
    }

    /// Returns the counts that an earlier start of the run wrote, or nil if its shards were others.
    private static func counts(in file: FilePath, of shards: ShardSet) throws -> [Int]? {
        guard FileSystem.exists(file) else { return nil }
        let stored = try ShardIndex(contentsOf: file)
        guard stored.entries.map(\.url) == shards.addresses.map(\.description) else { return nil }
        return stored.entries.map(\.samples)
    }

    /// Writes the counts of shards that had to be counted, so that the run resumes with the same.
    func writeCounts(to file: FilePath) throws {
        guard isCounted, case .shards(let shards) = content, let counts = shards.counts else {
            return
        }
        let entries = zip(shards.addresses, counts).map {
            ShardIndex.Entry(url: $0.description, samples: $1)
        }
        try ShardIndex(entries: entries, in: file.removingLastComponent()).write(to: file)
    }
}

/// The source of a run's training batches.
enum TrainingSource: Sendable {
    case annotations(BatchLoader)
    case shards(ShardLoader)
    case items(ItemLoader)

    /// The number of rows per epoch.
    var rowCount: Int {
        switch self {
        case .annotations(let loader): loader.rowCount
        case .shards(let loader): loader.rowCount
        case .items(let loader): loader.itemCount
        }
    }

    /// The number of batches per epoch.
    var batchesPerEpoch: Int {
        switch self {
        case .annotations(let loader): loader.batchesPerEpoch
        case .shards(let loader): loader.batchesPerEpoch
        case .items(let loader): loader.batchesPerEpoch
        }
    }

    /// How processes divide the shards; nil for annotations.
    var shardSplit: ShardSplit? {
        if case .shards(let loader) = self { loader.split } else { nil }
    }

    /// Returns the endless batches from a position on.
    ///
    /// - Parameters:
    ///   - position: The first batch.
    ///   - ranks: The number of processes that began the position's epoch.
    func batches(
        from position: BatchLoader.Position, begunWith ranks: Int
    ) -> any AsyncIteratorProtocol<RunBatch, any Error> {
        switch self {
        case .annotations(let loader):
            loader.batches(from: position).map { .pairs($0) }.makeAsyncIterator()
        case .shards(let loader):
            loader.batches(from: position, begunWith: ranks).map { .pairs($0) }.makeAsyncIterator()
        case .items(let loader):
            loader.batches(from: position).map { .items($0) }.makeAsyncIterator()
        }
    }
}

extension TrainingConfiguration.Data {
    /// Whether the training data are shards.
    var usesShards: Bool { !train.isEmpty && train.allSatisfy(ShardList.isShards) }

    /// Checks the settings that depend on the kind of the training data.
    func validateShards() throws(TrainingError) {
        if let shards = validation.first(where: ShardList.isShards) {
            throw .setting(
                "data.validation", "names shards (\(shards)); give annotation files or folders")
        }
        guard let shards = train.first(where: ShardList.isShards) else { return }
        guard usesShards else {
            throw .setting(
                "data.train",
                "names shards (\(shards)) and other files; give either shards or annotations, or"
                    + " pack the annotated images with 'albef data pack'")
        }
        func refuse(_ key: String, _ isRefused: Bool, _ problem: String) throws(TrainingError) {
            if isRefused { throw .setting("data.\(key)", problem + " with shards (data.train)") }
        }
        try refuse("rows", rows != .images, "must be 'images'")
        try refuse("group", group != 1, "must be 1")
        try refuse("trunk_views", trunkViews != 0, "must be 0")
        try refuse("cache_megabytes", cacheMegabytes != 0, "must be 0")
        try refuse("images", images != nil, "must be null")
    }
}
