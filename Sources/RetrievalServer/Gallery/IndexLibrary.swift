import ALBEF
package import Logging
package import Retrieval
import ServiceLifecycle
import Synchronization
package import SystemPackage

/// One state of the index, which never changes.
package struct Gallery: Sendable {
    package let index: ForwardIndex
    let searcher: Searcher
    /// Names of metadata, as a sample of the entries has them.
    let facts: [String]
}

/// What is served: always a whole state of the index, the newest that could be opened.
package final class IndexLibrary: Sendable {
    private struct State {
        var gallery: Gallery
        /// Why what is on disk now cannot be served.
        var failure: String?
        /// Grows when the index was changed by anything but ``change(_:)``.
        var foreignChanges = 0
    }

    package let directory: FilePath
    let model: SearchModel
    let locator = EntryLocator()
    private let state: Mutex<State>
    /// One look or change at a time: a slow look must not put an older state over a newer, and a
    /// change of ours must not be taken for somebody else's.
    private let turn = Mutex(())
    private let logger: Logger
    private let foreign = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Opens an index.
    ///
    /// - Throws: ``IndexError`` if it cannot be opened or was made with another model.
    package init(_ directory: FilePath, _ model: SearchModel, _ logger: Logger) throws {
        self.directory = directory
        self.model = model
        self.logger = logger
        let index = try ForwardIndex(directory)
        state = Mutex(
            State(
                gallery: Gallery(
                    index: index, searcher: try Searcher(model, index),
                    facts: try FactSample.all(of: index)),
                failure: nil))
    }

    /// What is served now.
    package var gallery: Gallery { state.withLock { $0.gallery } }

    /// Why what is on disk now cannot be served; nil if all is well.
    package var failure: String? { state.withLock { $0.failure } }

    /// Encodes images for the index, with tokens if it keeps any.
    func encode(_ pixels: [PreparedImage]) throws -> EncodedImages {
        try model.encode(pixels: pixels, keepsTokens: gallery.index.budget.count != 0)
    }

    /// How often another program changed the index, or put back one that was away.
    var foreignChanges: Int { state.withLock { $0.foreignChanges } }

    /// Yields when there were ``foreignChanges``, to one reader.
    var foreignChangeNotes: AsyncStream<Void> { foreign.stream }

    /// Opens what is on disk if it is newer; keeps serving the state before if that fails.
    ///
    /// Does nothing while a change is under way, which looks by itself.
    func refresh() {
        _ = turn.withLockIfAvailable { _ in look(isOwnChange: false) }
    }

    /// Changes the index on disk, and opens what it is then.
    ///
    /// - Throws: what `body` throws.
    package func change<Result: Sendable>(_ body: () throws -> Result) throws -> Result {
        try turn.withLock { _ in
            defer { look(isOwnChange: true) }
            return try body()
        }
    }

    private func look(isOwnChange: Bool) {
        do {
            let old = state.withLock { $0 }
            guard let index = try old.gallery.index.refreshed() else {
                // What had vanished is back.
                if old.failure != nil { noteForeignChange() }
                return
            }
            let isNext = index.generation == old.gallery.index.generation + 1
            let gallery = Gallery(
                index: index, searcher: try Searcher(model, index),
                facts: try FactSample.facts(of: index, after: old.gallery))
            state.withLock {
                $0.gallery = gallery
                $0.failure = nil
            }
            if !isOwnChange || !isNext { noteForeignChange() }
            try locator.prepare(index)
        } catch {
            let isNew = state.withLock { state in
                defer { state.failure = "\(error)" }
                return state.failure != "\(error)"
            }
            if isNew { logger.error("the index on disk cannot be served: \(error)") }
        }
    }

    private func noteForeignChange() {
        state.withLock {
            $0.failure = nil
            $0.foreignChanges += 1
        }
        foreign.continuation.yield()
    }

    /// The entry of a key.
    ///
    /// - Throws: ``Problem`` if it does not exist; ``IndexError`` if it is damaged.
    func find(_ key: String) throws -> (gallery: Gallery, id: ForwardIndex.EntryID) {
        let gallery = gallery
        guard let key = EntryKey(hexadecimal: key),
            let id = try locator.find(key, in: gallery.index)
        else {
            throw Problem(.notFound, "there is no image of this id")
        }
        return (gallery, id)
    }

    /// The entry of a path; nil if it does not exist.
    ///
    /// - Throws: ``IndexError`` if it is damaged.
    func entry(at path: FilePath) throws -> IndexEntry? {
        let gallery = gallery
        return try locator.find(EntryKey(path), in: gallery.index).map(gallery.index.entry)
    }
}

/// Names of metadata, as entries that are spread over an index have them.
private enum FactSample {
    private static let names = 32
    /// Commits between two samples of the whole index.
    private static let interval = 64

    static func all(of index: ForwardIndex) throws -> [String] {
        let step = max(1, index.count / 256)
        return facts(
            try stride(from: 0, to: index.count, by: step).flatMap {
                try names(of: index, skipping: $0, count: 1)
            })
    }

    /// The names after a commit: those before and those of the newest entries.
    ///
    /// - Complexity: a fixed number of entries is read, whatever the size of the index; now and
    ///   then a sample of all, so that names are forgotten which are not there any more.
    static func facts(of index: ForwardIndex, after old: Gallery) throws -> [String] {
        let isSuccessor = index.generation == old.index.generation + 1
        guard isSuccessor, index.generation % interval != 0 else { return try all(of: index) }
        return facts(
            old.facts + (try names(of: index, skipping: max(0, index.count - 16), count: 16)))
    }

    private static func names(
        of index: ForwardIndex, skipping skipped: Int, count: Int
    ) throws -> [String] {
        try index.ids(skipping: skipped, count: count).flatMap {
            try index.entry($0).metadata.keys
        }
    }

    private static func facts(_ names: [String]) -> [String] {
        // A name that nobody could type is not offered for conditions.
        Array(Set(names).filter { $0.utf8.count <= 64 }.sorted().prefix(Self.names))
    }
}

/// Looks every second whether another program has changed the index, and finishes what the writer
/// could not.
struct IndexWatch: Service {
    let library: IndexLibrary
    /// Where the looks take place, which may read a whole index.
    let queue: WorkQueue
    let writer: GalleryWriter?

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // The first lookup by key should not have to read them all.
            try? await queue.run(.folder) {
                try library.locator.prepare(library.gallery.index)
            }
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                try? await queue.run(.folder) { library.refresh() }
                await writer?.placeFiles()
            }
        }
    }
}
