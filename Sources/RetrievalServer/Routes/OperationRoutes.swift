import ALBEF
import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The routes for the facts of the index, the health of the service, and the page.
struct OperationRoutes: Sendable {
    fileprivate struct IndexDocument: Encodable {
        struct Model: Encodable {
            let name: String
            /// The description of the model in one line; null if it has none.
            let knows: Nullable<String>
            let fingerprint: String
            let image_size: Int
            let is_trained, is_calibrated, matches: Bool
            /// The model whose features recall compares; null if it is this model.
            let recall: Nullable<Recall>
        }

        /// The second model, whose features recall compares.
        struct Recall: Encodable {
            let name: String
            let knows: Nullable<String>
            let fingerprint: String
            let image_size: Int
            let is_trained: Bool
        }

        struct Indexing: Encodable {
            let done, total, failed: Int
            let is_running: Bool
            /// The reason why the index is not in step with the folder; null if it is.
            let error: Nullable<String>
            /// The time of the last scan; null before the first.
            let last_scan: Nullable<String>
        }

        /// The progress of building the index of another model.
        struct Change: Encodable {
            let model: String
            let encoded, images: Int
            /// The error that interrupted the change; null if it proceeds.
            let error: Nullable<String>
        }

        /// The files of the followed folder that are not in the index.
        struct Skipped: Encodable {
            struct File: Encodable { let path, reason: String }

            /// The number of files that could not be read.
            let count: Int
            /// The first of the files that could not be read.
            let files: [File]
            /// The number of files of unsupported kinds, by file extension.
            let passed_over: [String: Int]
            /// The patterns of files to leave out, from the settings.
            let excluded: [String]
        }

        /// The model that answers questions about images.
        struct Questions: Encodable { let model: String }

        /// The bounds on a client's search.
        struct Limits: Encodable { let characters, results, candidates: Int }

        let images, removed, segments, generation, bytes: Int
        let content: String
        let model: Model
        let rankings: [String]
        let standard_ranking: String
        let facts: [String]
        let limits: Limits
        let is_writable: Bool
        /// The folder of clients' files, which are deleted with their images; null if clients may not
        /// write.
        let uploads: Nullable<String>
        /// The followed folder; null for none.
        let folder: Nullable<String>
        let indexing: Indexing?
        /// The progress of a change to another model; null if none is under way.
        let change: Nullable<Change>
        /// Who answers questions about images; null if nobody does.
        let questions: Nullable<Questions>
        let skipped: Skipped
    }

    private let parts: ServiceParts

    init(_ parts: ServiceParts) { self.parts = parts }

    func add(to router: RouterGroup<ServiceContext>) {
        router.get("index") { _, _ in JSON.response(index()) }
        router.group().add(middleware: KeyMiddleware(parts.configuration.key))
            .post("scan") { _, _ in try scan() }
    }

    func addOutside(_ router: Router<ServiceContext>) {
        router.get("health/live") { _, _ in JSON.response(["status": "live"]) }
        router.get("health/ready") { _, _ in try ready() }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: parts.metrics.text(gauges()))))
        }
        let files = parts.files
        router.get("openapi.json") { request, _ in files.description.response(to: request) }
        for (path, file) in files.page {
            router.get(RouterPath(path)) { request, _ in file.response(to: request) }
        }
    }

    private func index() -> IndexDocument {
        let gallery = parts.library.gallery
        let statistics = gallery.index.statistics
        let model = gallery.model
        let indexing = parts.follower?.status
        let limits = parts.configuration.limits
        return IndexDocument(
            images: statistics.images, removed: statistics.removed,
            segments: statistics.segments, generation: statistics.generation,
            bytes: statistics.byteCount, content: statistics.content.rawValue,
            model: .init(
                name: model.reader.name, knows: .init(value: model.reader.subject),
                fingerprint: model.fingerprint,
                image_size: model.model.configuration.vision.imageSize,
                is_trained: model.model.configuration.isTrained,
                is_calibrated: model.isCalibrated, matches: model.matches,
                recall: .init(
                    value: model.recall.map {
                        let configuration = $0.model.configuration
                        return .init(
                            name: $0.name, knows: .init(value: $0.subject),
                            fingerprint: $0.fingerprint,
                            image_size: configuration.vision.imageSize,
                            is_trained: configuration.isTrained)
                    })),
            rankings: RankingScore.allCases.map(\.rawValue),
            standard_ranking: model.ranking.rawValue,
            facts: gallery.facts,
            limits: .init(
                characters: limits.characters, results: limits.results,
                candidates: limits.candidates),
            is_writable: parts.writing != nil,
            uploads: .init(value: parts.writing?.store.directory.string),
            folder: .init(value: parts.follower?.folder.string),
            indexing: indexing?.document,
            change: .init(
                value: parts.changer?.status.map {
                    .init(
                        model: $0.model, encoded: $0.encoded,
                        images: max(statistics.images, $0.encoded),
                        error: .init(value: $0.error))
                }),
            questions: .init(value: parts.questions.map { .init(model: $0.name) }),
            skipped: (indexing ?? IndexingStatus()).skipped(
                excluding: parts.configuration.exclude))
    }

    /// Requests a scan of the followed folder.
    private func scan() throws -> Response {
        guard let follower = parts.follower else {
            throw Problem(.conflict, "this service follows no folder; start it with --photos")
        }
        follower.scan()
        return JSON.response(follower.status.document, status: .accepted)
    }

    private func ready() throws -> Response {
        if let failure = parts.library.failure {
            throw Problem.unavailable(
                "the index on disk cannot be served, so searches use its former state: \(failure)",
                retryAfter: 10)
        }
        return JSON.response(["status": "ready"])
    }

    private func gauges() -> ServiceMetrics.Gauges {
        let statistics = parts.library.gallery.index.statistics
        return .init(
            images: statistics.images, segments: statistics.segments,
            generation: statistics.generation,
            waiting: parts.batcher.waiting + parts.compute.waiting,
            isCurrent: parts.library.isCurrent)
    }
}

extension IndexingStatus {
    /// The most skipped files to list.
    private static let named = 100

    fileprivate var document: OperationRoutes.IndexDocument.Indexing {
        .init(
            done: done, total: total, failed: failures.count, is_running: isRunning,
            error: .init(value: error), last_scan: .init(value: lastScan?.formatted(.iso8601)))
    }

    fileprivate func skipped(
        excluding patterns: [String]
    ) -> OperationRoutes.IndexDocument.Skipped {
        .init(
            count: failures.count,
            files: failures.prefix(Self.named).map {
                .init(path: $0.path.string, reason: $0.reason)
            },
            passed_over: passedOver, excluded: patterns)
    }
}
