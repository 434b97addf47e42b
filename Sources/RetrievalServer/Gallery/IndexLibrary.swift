import ALBEF
package import Logging
package import Retrieval
import ServiceLifecycle
import Synchronization
package import SystemPackage

/// One immutable state of the index.
package struct Gallery: Sendable {
    package let index: ForwardIndex
    /// The model that made the index.
    package let model: SearchModel
    let searcher: Searcher
    /// The names of metadata in a sample of the entries.
    let facts: [String]
}

/// The index that is served: the newest state that could be opened.
package final class IndexLibrary: Sendable {
    private struct State {
        var gallery: Gallery
        /// The model that made the index, if it is not the wanted model; it answers until the index
        /// is changed.
        var former: SearchModel?
        /// The reason why the state on disk cannot be served.
        var failure: String?
        /// The model of the index on disk, if the service has not loaded it.
        var stranger: ModelSignature?
        /// The number of changes that were not made by ``IndexLibrary/change(_:)``.
        var foreignChanges = 0
    }

    package let directory: FilePath
    /// The model that the service was started with.
    let wanted: SearchModel
    let locator = EntryLocator()
    /// What proposes candidates.
    let recall: any CandidateRecall
    private let state: Mutex<State>
    /// Serialises looks at the disk and changes.
    ///
    /// A slow look must not replace a newer state with an older one, and the service's own change
    /// must not count as another program's.
    private let turn = Mutex(())
    private let logger: Logger
    private let foreign = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Opens an index.
    ///
    /// - Parameters:
    ///   - directory: The directory of the index.
    ///   - model: The model that made the index, or to which the index will be changed.
    ///   - former: The model that made the index, if it differs; it answers until the index is
    ///     changed.
    ///   - recall: What proposes candidates. Default: the index itself.
    ///   - logger: The logger for changes of the index.
    /// - Throws: `IndexError` if the index cannot be opened or was made with another model.
    package init(
        _ directory: FilePath, _ model: SearchModel, former: SearchModel? = nil,
        recall: any CandidateRecall = EmbeddedRecall(), _ logger: Logger
    ) throws {
        self.directory = directory
        self.recall = recall
        wanted = model
        self.logger = logger
        let index = try ForwardIndex(directory)
        let own = Self.maker(of: index, [model, former]) ?? model
        state = Mutex(
            State(
                gallery: Gallery(
                    index: index, model: own,
                    searcher: try Searcher(own, index, locator: locator, recall: recall),
                    facts: try FactSample.all(of: index)),
                former: former))
    }

    private static func maker(of index: ForwardIndex, _ models: [SearchModel?]) -> SearchModel? {
        models.lazy.compactMap(\.self).first { index.model.isSame(as: $0.signature) }
    }

    /// The model that answers now.
    var model: SearchModel { gallery.model }

    /// The state of the index that is served now.
    package var gallery: Gallery { state.withLock { $0.gallery } }

    /// The reason why the state on disk cannot be served; nil if it can.
    package var failure: String? { state.withLock { $0.failure } }

    /// Whether the served state is the state on disk.
    var isCurrent: Bool { state.withLock { $0.failure == nil && $0.stranger == nil } }

    /// The refusal of all changes after the index was changed to a model that is not loaded; nil
    /// otherwise.
    var refusal: Problem? {
        state.withLock(\.stranger).map {
            Problem(
                .conflict,
                "the index was changed to the model \($0.title); searches use its former state,"
                    + " and it cannot be written to until the service restarts with that model")
        }
    }

    /// Encodes images for the index, with tokens if the index keeps tokens.
    func encode(_ pixels: [PreparedImage]) throws -> EncodedImages {
        try model.encode(pixels: pixels, keepsTokens: gallery.index.budget.count != 0)
    }

    /// The number of times that another program changed the index or restored a missing one.
    var foreignChanges: Int { state.withLock { $0.foreignChanges } }

    /// A stream that yields when ``foreignChanges`` grows; it has one reader.
    var foreignChangeNotes: AsyncStream<Void> { foreign.stream }

    /// Opens the state on disk if it is newer; on failure the served state stays.
    ///
    /// Does nothing during a change, because ``change(_:)`` opens the new state itself.
    func refresh() {
        _ = turn.withLockIfAvailable { _ in look(isOwnChange: false) }
    }

    /// Changes the index on disk, and opens the new state.
    ///
    /// - Throws: The error that `body` throws.
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
                // The served state is back on disk.
                if old.failure != nil || old.stranger != nil { noteForeignChange() }
                return
            }
            guard let model = Self.maker(of: index, [old.gallery.model, wanted, old.former]) else {
                meet(index.model)
                return
            }
            let isNext = index.generation == old.gallery.index.generation + 1
            let gallery = Gallery(
                index: index, model: model,
                searcher: try Searcher(model, index, locator: locator, recall: recall),
                facts: try FactSample.facts(of: index, after: old.gallery))
            let isChanged = !model.signature.isSame(as: old.gallery.model.signature)
            state.withLock {
                $0.gallery = gallery
                $0.failure = nil
                $0.stranger = nil
                if isChanged { $0.former = nil }
            }
            if isChanged {
                logger.notice("the index now has the model \(model.signature.title)")
            }
            if !isOwnChange || !isNext { noteForeignChange() }
            try locator.prepare(index)
        } catch {
            let isNew = state.withLock { state in
                defer { state.failure = "\(error)" }
                return state.failure != "\(error)"
            }
            if isNew { logger.error("cannot serve the present state of the index: \(error)") }
        }
    }

    /// Records that the index was changed to a model that is not loaded, and logs it once.
    ///
    /// The service keeps serving the state that it opened last.
    private func meet(_ stranger: ModelSignature) {
        let isNew = state.withLock { state in
            defer {
                state.stranger = stranger
                state.failure = nil
            }
            return state.stranger != stranger
        }
        guard isNew else { return }
        logger.warning(
            """
            the index was changed to the model \(stranger.title); searches use its former state \
            until the service restarts with \(stranger.options)
            """)
    }

    private func noteForeignChange() {
        state.withLock {
            $0.failure = nil
            $0.stranger = nil
            $0.foreignChanges += 1
        }
        foreign.continuation.yield()
    }

    /// Finds the entry of an image's id.
    ///
    /// - Parameter key: The id, in hexadecimal.
    /// - Throws: ``Problem`` if no entry has the id; `IndexError` if the entry is damaged.
    func find(_ key: String) throws -> (gallery: Gallery, id: ForwardIndex.EntryID) {
        let gallery = gallery
        guard let key = EntryKey(hexadecimal: key),
            let id = try locator.find(key, in: gallery.index)
        else {
            throw Problem(.notFound, "no image has this id")
        }
        return (gallery, id)
    }

    /// Returns the entry of a path; nil if the index has none.
    ///
    /// - Throws: `IndexError` if the entry is damaged.
    func entry(at path: FilePath) throws -> IndexEntry? {
        let gallery = gallery
        return try locator.find(EntryKey(path), in: gallery.index).map(gallery.index.entry)
    }
}

/// A sample of the names of metadata, from entries spread over the whole index.
private enum FactSample {
    private static let names = 32
    /// The number of commits between two samples of the whole index.
    private static let interval = 64

    static func all(of index: ForwardIndex) throws -> [String] {
        let step = max(1, index.count / 256)
        return facts(
            try stride(from: 0, to: index.count, by: step).flatMap {
                try names(of: index, skipping: $0, count: 1)
            })
    }

    /// Returns the names after a commit: the former names and those of the newest entries.
    ///
    /// - Complexity: O(1). It reads 16 entries, or every 64th commit a sample of about 256, so that
    ///   names which the index no longer holds disappear.
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
        // The page offers the names for conditions, and a longer name is tedious to type.
        Array(Set(names).filter { $0.utf8.count <= 64 }.sorted().prefix(Self.names))
    }
}

/// A service that looks every second whether another program has changed the index.
///
/// It also retries moving files that the writer could not move into place.
struct IndexWatch: Service {
    let library: IndexLibrary
    /// The queue on which to look, because opening an index may read all of it.
    let queue: WorkQueue
    let writer: GalleryWriter?

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Reads all keys now, so that the first lookup need not.
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
