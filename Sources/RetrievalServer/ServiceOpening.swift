import Foundation
import Logging
import Retrieval
import SystemPackage

extension ServiceParts {
    /// Opens the index and creates the parts of the service.
    ///
    /// If the index is missing and clients or a folder may fill it, this creates it first.
    ///
    /// - Throws: ``ServerError`` if a setting is invalid or the page's files are missing;
    ///   `IndexError` if the index cannot be opened or was made with another model; an error of the
    ///   file system.
    static func open(
        _ configuration: ServerConfiguration, _ model: SearchModel, former: SearchModel?,
        questions: QuestionModel?, index: FilePath, recall: any CandidateRecall, _ logger: Logger
    ) async throws -> ServiceParts {
        let files = try ServedFiles()
        if let photos = configuration.photos { try check(photos, index) }
        let store = try configuration.key.map { _ in
            try UploadStore(
                configuration.uploads ?? FilePath("\(index.string).uploads"), index: index)
        }
        let isWriting = store != nil || configuration.photos != nil
        if isWriting { try create(index, model) }
        let library = try IndexLibrary(
            index, model, former: former, recall: recall, logger)
        if isWriting, let shard = library.gallery.index.shard {
            throw ServerError.setting(
                "index",
                "\(index) holds shard \(shard) of a gallery, which a service does not write to;"
                    + " join the shards with 'albef index merge'")
        }
        if let store { try await reconcile(store, library, logger) }
        let metrics = ServiceMetrics(version: configuration.version, recall: recall.kind)
        let cores = max(2, ProcessInfo.processInfo.activeProcessorCount)
        func queue(_ name: String, threads: Int) -> WorkQueue {
            WorkQueue("albef.\(name)", threads: threads, limit: configuration.batching.waiting)
        }
        let (compute, images) = (queue("model", threads: 1), queue("images", threads: cores))
        let disk = queue("disk", threads: 1)
        let writer =
            !isWriting
            ? nil
            : GalleryWriter(
                library, store,
                .init(library, compute: compute, disk: disk) { metrics.record(.commit, $0) },
                limit: configuration.batching.waiting, logger)
        let follower = configuration.photos.flatMap { photos in
            writer.map {
                FolderFollower(
                    photos, exclude: configuration.exclude, library, $0, compute: compute,
                    images: images, logger)
            }
        }
        return ServiceParts(
            configuration: configuration, files: files, library: library, metrics: metrics,
            compute: compute, images: images, documents: queue("documents", threads: cores),
            disk: disk,
            batcher: QueryBatcher(compute, configuration.batching, metrics) { library.gallery },
            writer: writer,
            writing: store.flatMap { store in
                writer.map { Writing(writer: $0, store: store) }
            },
            follower: follower,
            changer: changer(
                configuration.photos ?? store?.directory,
                exclude: configuration.photos == nil ? [] : configuration.exclude, library,
                compute: compute, images: images, logger),
            questions: questions)
    }

    /// Returns the changer to the wanted model; nil if the index already has that model, or if
    /// the service may not write to the index.
    private static func changer(
        _ folder: FilePath?, exclude: [String], _ library: IndexLibrary, compute: WorkQueue,
        images: WorkQueue, _ logger: Logger
    ) -> ModelChanger? {
        let (index, wanted) = (library.gallery.index, library.wanted.signature)
        if index.model.isSame(as: wanted) { return nil }
        guard let folder, index.content == .images else {
            logger.notice(
                """
                the index was made with the model \(index.model.title), which answers searches; \
                to change it, run 'albef index' with \(wanted.options)
                """)
            return nil
        }
        return ModelChanger(
            folder, exclude: exclude, library, compute: compute, images: images, logger)
    }

    /// Ends the threads once they have finished the waiting work.
    func close() {
        for queue in [compute, images, documents, disk] { queue.close() }
    }

    /// Checks that the folder to follow exists, or that the index holds images from it.
    ///
    /// In the second case its disk may not be mounted yet, and the service waits for it. In any
    /// other case the path is probably a typing error.
    private static func check(_ photos: FilePath, _ index: FilePath) throws {
        let folder = photos.absolute
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: folder.string, isDirectory: &isFolder)
        if isThere, isFolder.boolValue { return }
        guard !isThere, let known = try? ForwardIndex(index), try known.has(under: folder) else {
            throw ServerError.setting(
                "photos", "\(folder) \(isThere ? "is not a folder" : "does not exist")")
        }
    }

    /// Creates the index if it does not exist.
    private static func create(_ index: FilePath, _ model: SearchModel) throws {
        if (try? ForwardIndex(index)) != nil { return }
        _ = try ForwardIndex.apply(
            IndexChange(), to: index, model: model.signature, locator: EntryLocator())
    }

    /// Brings the index in step with the files that clients sent.
    ///
    /// An earlier run that was killed may have left a file without an entry, or an entry without
    /// its file.
    private static func reconcile(
        _ store: UploadStore, _ library: IndexLibrary, _ logger: Logger
    ) async throws {
        let report = try await Indexer(library.model)
            .update(library.directory, with: FolderScan(store.directory))
        if report.changed > 0 {
            library.refresh()
            logger.notice("finished \(report.changed) changes that an earlier run left")
        }
    }
}
