public import SystemPackage

extension Indexer {
    /// An event while following a folder.
    public enum FollowEvent: Sendable {
        /// The index matches the folder, except for unreadable files.
        case updated(Report, FolderScan)
        /// An obstacle prevents updates, such as a missing folder, a full disk or another process
        /// that writes to the index. It is reported once, and the update is retried.
        case hindered(any Error)
    }

    /// Keeps an index in step with a folder until the task is cancelled.
    ///
    /// A failed update is retried after pauses that grow from `interval` to half a minute, so
    /// temporary obstacles do no harm.
    ///
    /// - Parameters:
    ///   - directory: The index, which is created if it does not exist.
    ///   - folder: A folder that contains images at any depth.
    ///   - exclude: Patterns to leave out, as in ``FolderScan/init(_:exclude:)``.
    ///   - metadata: Metadata to store with images, by their paths.
    ///   - interval: The time within which changes of the folder lead to one update. Default: 2
    ///     seconds.
    ///   - scan: The state of the folder that the index already contains; nil to begin with an
    ///     update.
    ///   - onProgress: Called after every image.
    ///   - onEvent: Called after every update, and for every new obstacle.
    /// - Throws: The errors of `onEvent`.
    public func follow(
        _ directory: FilePath, with folder: FilePath, exclude: [String] = [],
        metadata: [FilePath: [String: MetadataValue]] = [:],
        interval: Duration = .seconds(2), since scan: FolderScan? = nil,
        onProgress: (Progress) -> Void = { _ in },
        onEvent: (FollowEvent) async throws -> Void
    ) async throws {
        // Otherwise two followers with different models would undo each other's changes.
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

    /// Updates the index if the folder has changed; otherwise returns nil.
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
