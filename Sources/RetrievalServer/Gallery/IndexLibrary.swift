import Logging
import Retrieval
import ServiceLifecycle
import Synchronization
import SystemPackage

/// One state of the index, which never changes.
struct Gallery: Sendable {
    let index: ForwardIndex
    let searcher: Searcher
    /// Names of metadata, as a sample of the entries has them.
    let facts: [String]
}

/// What is served: always a whole state of the index, the newest that could be opened.
final class IndexLibrary: Sendable {
    private struct State {
        var gallery: Gallery
        /// Why what is on disk now cannot be served.
        var failure: String?
    }

    let directory: FilePath
    let model: SearchModel
    let locator = EntryLocator()
    private let state: Mutex<State>
    /// One look at a time: a slow one must not put an older state over a newer.
    private let turn = Mutex(())
    private let logger: Logger

    /// Opens an index.
    ///
    /// - Throws: ``IndexError`` if it cannot be opened or was made with another model.
    init(_ directory: FilePath, _ model: SearchModel, _ logger: Logger) throws {
        self.directory = directory
        self.model = model
        self.logger = logger
        state = Mutex(
            State(gallery: try Self.gallery(try ForwardIndex(directory), model), failure: nil))
    }

    /// What is served now.
    var gallery: Gallery { state.withLock { $0.gallery } }

    /// Why what is on disk now cannot be served; nil if all is well.
    var failure: String? { state.withLock { $0.failure } }

    /// Opens what is on disk if it is newer; keeps serving what was if that fails.
    func refresh() { turn.withLock { _ in look() } }

    private func look() {
        do {
            guard let index = try gallery.index.refreshed() else {
                state.withLock { $0.failure = nil }
                return
            }
            let gallery = try Self.gallery(index, model)
            state.withLock { $0 = State(gallery: gallery, failure: nil) }
            try locator.prepare(index)
        } catch {
            let isNew = state.withLock { state in
                defer { state.failure = "\(error)" }
                return state.failure != "\(error)"
            }
            if isNew { logger.error("the index on disk cannot be served: \(error)") }
        }
    }

    /// The entry of a key.
    ///
    /// - Throws: ``Problem`` if there is none; ``IndexError`` if it is damaged.
    func find(_ key: String) throws -> (gallery: Gallery, id: ForwardIndex.EntryID) {
        let gallery = gallery
        guard let key = EntryKey(hexadecimal: key),
            let id = try locator.find(key, in: gallery.index)
        else {
            throw Problem(.notFound, "there is no picture of this id")
        }
        return (gallery, id)
    }

    private static func gallery(_ index: ForwardIndex, _ model: SearchModel) throws -> Gallery {
        let ids = index.ids
        var facts: Set<String> = []
        for position in stride(from: 0, to: ids.count, by: max(1, ids.count / 256)) {
            facts.formUnion(try index.entry(ids[position]).metadata.keys)
        }
        return Gallery(
            index: index, searcher: try Searcher(model, index),
            facts: Array(facts.sorted().prefix(32)))
    }
}

/// Looks every second whether somebody else has changed the index.
struct IndexWatch: Service {
    let library: IndexLibrary

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // The first lookup by key should not have to read them all.
            try? library.locator.prepare(library.gallery.index)
            while (try? await Task.sleep(for: .seconds(1))) != nil { library.refresh() }
        }
    }
}
