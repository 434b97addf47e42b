public import SystemPackage

/// Reports when something in a folder may have changed.
///
/// The system reports changes through inotify on Linux and FSEvents on macOS. If it cannot, for
/// example for a folder on another machine or a missing folder, every interval counts as a change.
/// In any case the watch occasionally assumes a change, to cover missed events.
///
///     for await _ in FolderWatch("/home/me/Pictures").changes() {
///         let scan = try FolderScan("/home/me/Pictures")
///     }
public struct FolderWatch: Sendable {
    private let folder: FilePath
    private let interval: Duration
    private let safetyNet: Duration
    private let usesEvents: Bool

    /// Prepares to watch a folder, which need not exist yet.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - interval: The time within which several changes are reported as one. Default: 2 seconds.
    public init(_ folder: FilePath, interval: Duration = .seconds(2)) {
        self.init(
            folder, interval: interval, safetyNet: max(.seconds(60), interval), usesEvents: true)
    }

    /// Prepares to watch a folder.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - interval: The time within which several changes are reported as one.
    ///   - safetyNet: The time without an event after which a change is assumed.
    ///   - usesEvents: Whether to use the system's events.
    package init(_ folder: FilePath, interval: Duration, safetyNet: Duration, usesEvents: Bool) {
        self.folder = folder.absolute
        self.interval = interval
        self.safetyNet = safetyNet
        self.usesEvents = usesEvents
    }

    /// Returns a stream with one element at the start and one after each possible change.
    ///
    /// Changes that happen before an element is consumed count as one. The stream ends when the
    /// task that waits for it is cancelled.
    public func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let task = Task {
            await watch { continuation.yield() }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private func watch(_ report: () -> Void) async {
        var nextTry = ContinuousClock.now
        while !Task.isCancelled {
            if usesEvents, ContinuousClock.now >= nextTry {
                let folder = folder
                let events = await onBackgroundThread {
                    Result { () throws(Errno) in try FolderEvents(folder) }
                }
                switch events {
                case .success(let events):
                    // This first report covers everything that exists before the first event.
                    report()
                    await follow(events, report)
                    continue
                case .failure(.noSuchFileOrDirectory): break
                case .failure: nextTry = .now + safetyNet
                }
            }
            report()
            try? await Task.sleep(for: interval)
        }
    }

    /// Reports events until the set of watched folders is outdated.
    private func follow(_ events: FolderEvents, _ report: () -> Void) async {
        let (signal, safetyNet) = (events.signal, safetyNet)
        let timer = Task {
            while (try? await Task.sleep(for: safetyNet)) != nil {
                signal.report(foldersChanged: true)
            }
        }
        defer { timer.cancel() }
        for await _ in signal.changes {
            guard (try? await Task.sleep(for: interval)) != nil else { return }
            if signal.isStale { return }
            report()
        }
    }
}
