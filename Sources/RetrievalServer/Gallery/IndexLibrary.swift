import ALBEF
package import Logging
package import Retrieval
import ServiceLifecycle
import Synchronization
package import SystemPackage

/// One state of the index, which never changes.
package struct Gallery: Sendable {
    package let index: ForwardIndex
    /// What it was made with.
    package let model: SearchModel
    let searcher: Searcher
    /// Names of metadata, as a sample of the entries has them.
    let facts: [String]
}

/// What is served: always a whole state of the index, the newest that could be opened.
package final class IndexLibrary: Sendable {
    private struct State {
        var gallery: Gallery
        /// What made the index, if that is not the model that is wanted: it answers until the index
        /// was changed to that one.
        var former: SearchModel?
        /// Why what is on disk now cannot be served.
        var failure: String?
        /// The model that the index belongs to now, if it is none of ours.
        var stranger: ModelSignature?
        /// Grows when the index was changed by anything but ``change(_:)``.
        var foreignChanges = 0
    }

    package let directory: FilePath
    /// The model that the service was started with.
    let wanted: SearchModel
    let locator = EntryLocator()
    private let state: Mutex<State>
    /// One look or change at a time: a slow look must not put an older state over a newer, and a
    /// change of ours must not be taken for somebody else's.
    private let turn = Mutex(())
    private let logger: Logger
    private let foreign = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Opens an index.
    ///
    /// - Parameters:
    ///   - model: what the index is of, or is to be changed to.
    ///   - former: what it is of, if that is another; it answers until the index was changed.
    /// - Throws: ``IndexError`` if it cannot be opened or was made with another model.
    package init(
        _ directory: FilePath, _ model: SearchModel, former: SearchModel? = nil, _ logger: Logger
    ) throws {
        self.directory = directory
        wanted = model
        self.logger = logger
        let index = try ForwardIndex(directory)
        let own = Self.maker(of: index, [model, former]) ?? model
        state = Mutex(
            State(
                gallery: Gallery(
                    index: index, model: own,
                    searcher: try Searcher(own, index, locator: locator),
                    facts: try FactSample.all(of: index)),
                former: former))
    }

    private static func maker(of index: ForwardIndex, _ models: [SearchModel?]) -> SearchModel? {
        models.lazy.compactMap(\.self).first { index.model.isSame(as: $0.signature) }
    }

    /// The model that answers now.
    var model: SearchModel { gallery.model }

    /// What is served now.
    package var gallery: Gallery { state.withLock { $0.gallery } }

    /// Why what is on disk now cannot be served; nil if all is well.
    package var failure: String? { state.withLock { $0.failure } }

    /// Whether what is served is what is on disk.
    var isCurrent: Bool { state.withLock { $0.failure == nil && $0.stranger == nil } }

    /// Why nothing can be written, where the index was changed to a model that is not loaded; nil
    /// otherwise.
    var refusal: Problem? {
        state.withLock(\.stranger).map {
            Problem(
                .conflict,
                "the index was changed to the model \($0.title); searches are answered from before,"
                    + " and nothing can be written until the service is started with that model")
        }
    }

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
                searcher: try Searcher(model, index, locator: locator),
                facts: try FactSample.facts(of: index, after: old.gallery))
            let isChanged = !model.signature.isSame(as: old.gallery.model.signature)
            state.withLock {
                $0.gallery = gallery
                $0.failure = nil
                $0.stranger = nil
                if isChanged { $0.former = nil }
            }
            if isChanged {
                logger.notice("the index is of the model \(model.signature.title) now")
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

    /// Serves on what was opened last, and says so once: the index was changed to another model.
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
            the index was changed to the model \(stranger.title); searches are answered from before \
            until the service is started with \(stranger.options)
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
