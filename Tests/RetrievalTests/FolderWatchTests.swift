import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Watching folders")
struct FolderWatchTests {
    /// Far beyond the time limit: only events, not the passing of time, can end such a wait.
    private static let never = Duration.seconds(86_400)

    private func write(_ path: FilePath) throws {
        try Data([1]).write(to: URL(filePath: path.string))
    }

    /// Waits for the change after which a scan of the folder fulfils a condition.
    private func wait(
        for changes: inout AsyncStream<Void>.Iterator, in folder: FilePath,
        until condition: (FolderScan) -> Bool
    ) async {
        while await changes.next() != nil {
            if let scan = try? FolderScan(folder), condition(scan) { return }
        }
    }

    #if os(Linux)
        @Test(.timeLimit(.minutes(30)))
        func filesAndFoldersOfAnyDepthAreNoticedWithoutPolling() async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let watch = FolderWatch(
                    folder, interval: .milliseconds(1), safetyNet: Self.never, usesEvents: true)
                var changes = watch.changes().makeAsyncIterator()
                await wait(for: &changes, in: folder) { $0.files.isEmpty }
                try write(folder.appending("a.png"))
                await wait(for: &changes, in: folder) { $0.files.count == 1 }
                let deep = folder.appending("b").appending("c")
                try FileManager.default.createDirectory(
                    atPath: deep.string, withIntermediateDirectories: true)
                try write(deep.appending("d.png"))
                await wait(for: &changes, in: folder) { $0.files.count == 2 }
                // The new folders are watched, too.
                try write(deep.appending("e.png"))
                await wait(for: &changes, in: folder) { $0.files.count == 3 }
                try FileManager.default.moveItem(
                    atPath: folder.appending("b").string, toPath: folder.appending("f").string)
                await wait(for: &changes, in: folder) { scan in
                    scan.files.contains { $0.path == scan.root.appending("f/c/d.png") }
                }
                try write(folder.appending("f/c/g.png"))
                await wait(for: &changes, in: folder) { $0.files.count == 4 }
                try FileManager.default.removeItem(atPath: folder.appending("f").string)
                await wait(for: &changes, in: folder) { $0.files.count == 1 }
            }
        }
    #endif

    @Test(.timeLimit(.minutes(30)))
    func aFolderThatIsAwayIsTakenUpWhenItComesBack() async throws {
        try await Fixtures.withTemporaryFolder { parent in
            let folder = parent.appending("away")
            let watch = FolderWatch(folder, interval: .milliseconds(1))
            var changes = watch.changes().makeAsyncIterator()
            await changes.next()
            try FileManager.default.createDirectory(
                atPath: folder.string, withIntermediateDirectories: true)
            try write(folder.appending("a.png"))
            await wait(for: &changes, in: folder) { $0.files.count == 1 }
            try FileManager.default.removeItem(atPath: folder.string)
            try FileManager.default.createDirectory(
                atPath: folder.string, withIntermediateDirectories: true)
            try write(folder.appending("b.png"))
            await wait(for: &changes, in: folder) {
                $0.files.map(\.path.lastComponent) == ["b.png"]
            }
        }
    }

    @Test(
        "Without events every interval counts, and with them what they miss is made up for in time",
        .timeLimit(.minutes(30)), arguments: [(never, false), (.milliseconds(5), true)])
    func looksWithoutEvents(safetyNet: Duration, usesEvents: Bool) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let watch = FolderWatch(
                folder, interval: .milliseconds(1), safetyNet: safetyNet, usesEvents: usesEvents)
            var count = 0
            for await _ in watch.changes() {
                count += 1
                if count == 3 { break }
            }
            #expect(count == 3)
        }
    }

    @Test(
        "One image is looked at every interval, as only folders have events",
        .timeLimit(.minutes(30)))
    func oneImage() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let image = folder.appending("a.bmp")
            try Data(TinyImages.bitmap(1)).write(to: URL(filePath: image.string))
            let watch = FolderWatch(
                image, interval: .milliseconds(1), safetyNet: Self.never, usesEvents: true)
            var count = 0
            for await _ in watch.changes() {
                count += 1
                if count == 3 { break }
            }
            #expect(count == 3)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func watchingEndsWithTheTask() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let task = Task {
                for await _ in FolderWatch(folder).changes() {
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            await task.value
        }
    }
}
