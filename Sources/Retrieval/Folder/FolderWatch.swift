public import SystemPackage

/// Says when something in a folder may have changed.
///
/// The system reports changes: inotify on Linux, FSEvents on macOS. Where it cannot, such as in a
/// folder of another machine, or while the folder is away, every interval counts as a change. In
/// any case one is assumed now and then, for what events miss.
///
///     for await _ in FolderWatch("/home/me/Pictures").changes() {
///         let scan = try FolderScan("/home/me/Pictures")
///     }
public struct FolderWatch: Sendable {
    private let folder: FilePath
    private let interval: Duration
    private let safetyNet: Duration
    private let usesEvents: Bool

    /// Prepares to watch a folder, which need not be there yet.
    ///
    /// - Parameter interval: changes within it are reported as one; default 2 seconds.
    public init(_ folder: FilePath, interval: Duration = .seconds(2)) {
        self.init(
            folder, interval: interval, safetyNet: max(.seconds(60), interval), usesEvents: true)
    }

    /// Prepares to watch a folder.
    ///
    /// - Parameters:
    ///   - safetyNet: after how long without an event a change is assumed.
    ///   - usesEvents: whether the system is asked for events.
    package init(_ folder: FilePath, interval: Duration, safetyNet: Duration, usesEvents: Bool) {
        self.folder = folder.absolute
        self.interval = interval
        self.safetyNet = safetyNet
        self.usesEvents = usesEvents
    }

    /// An element at the start, and one after each time that something may have changed.
    ///
    /// Changes between two looks are one element. The stream ends when the task that waits for it is
    /// cancelled.
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
                    // What was there before the first event is seen by this look.
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

    /// Reports events until other folders have to be watched.
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
