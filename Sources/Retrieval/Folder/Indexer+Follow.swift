public import SystemPackage

extension Indexer {
    /// What following a folder reports.
    public enum FollowEvent: Sendable {
        /// The index is up to date with the folder, as far as its files can be read.
        case updated(Report, FolderScan)
        /// Something is in the way, such as a folder that is away, a full disk or another process
        /// that writes to the index. It is reported once; the update is tried again.
        case hindered(any Error)
    }

    /// Keeps an index in step with a folder until the task is cancelled.
    ///
    /// Whatever fails is tried again, after pauses that grow from the interval to half a minute, so
    /// that conditions that pass do no harm.
    ///
    /// - Parameters:
    ///   - directory: the index; created if it does not exist.
    ///   - folder: images, in folders of any depth.
    ///   - exclude: patterns of what to leave out, as ``FolderScan/init(_:exclude:)`` takes them.
    ///   - metadata: what to note of images besides, by their paths.
    ///   - interval: changes of the folder within it lead to one update; default 2 seconds.
    ///   - scan: the state of the folder that the index has already; nil to begin with an update.
    ///   - onProgress: called after every image.
    ///   - onEvent: called after every update, and when something new is in the way.
    /// - Throws: what `onEvent` throws.
    public func follow(
        _ directory: FilePath, with folder: FilePath, exclude: [String] = [],
        metadata: [FilePath: [String: MetadataValue]] = [:],
        interval: Duration = .seconds(2), since scan: FolderScan? = nil,
        onProgress: (Progress) -> Void = { _ in },
        onEvent: (FollowEvent) async throws -> Void
    ) async throws {
        // Two that follow with different models would else take turns.
        var options = options
        options.changesModel = false
        let indexer = Indexer(model, options: options, work: work)
        var last = scan
        for await _ in FolderWatch(folder, interval: interval).changes() {
            var (pause, hindrance) = (interval, "")
            while !Task.isCancelled {
                let result = await indexer.attempt(
                    directory, folder, exclude, metadata, since: last, onProgress)
                switch result {
                case .success(nil): break
                case .success(let (report, scan)?):
                    if !report.wasCancelled { last = scan }
                    try await onEvent(.updated(report, scan))
                case .failure(let error):
                    if "\(error)" != hindrance, !Task.isCancelled {
                        try await onEvent(.hindered(error))
                    }
                    hindrance = "\(error)"
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, max(interval, .seconds(30)))
                    continue
                }
                break
            }
        }
    }

    /// One update, if the folder has changed; nil if not.
    private func attempt(
        _ directory: FilePath, _ folder: FilePath, _ exclude: [String],
        _ metadata: [FilePath: [String: MetadataValue]], since last: FolderScan?,
        _ onProgress: (Progress) -> Void
    ) async -> Result<(Report, FolderScan)?, any Error> {
        do {
            let scan = try await onBackgroundThread {
                Result { try FolderScan(folder, exclude: exclude) }
            }.get()
            if let last, scan.findsSame(as: last) { return .success(nil) }
            let report = try await update(
                directory, with: scan, metadata: metadata, onProgress: onProgress)
            return .success((report, scan))
        } catch {
            return .failure(error)
        }
    }
}
