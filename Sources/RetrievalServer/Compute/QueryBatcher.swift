import Retrieval
import SystemPackage

/// Answers searches of all connections together, on the one thread that has the model.
final class QueryBatcher: Sendable {
    private struct Search: Sendable {
        let query: SearchQuery
        let options: SearchOptions
    }

    /// An answer, and what it is an answer about.
    struct Served: Sendable {
        let answer: SearchAnswer
        let gallery: Gallery

        /// About how much memory the answer takes.
        var byteCount: Int {
            answer.results.reduce(0) { sum, result in
                let own = 256 + (result.text?.utf8.count ?? 0)
                let duplicates = (result.duplicates ?? []).reduce(0) {
                    $0 + 64 + $1.path.length + Self.byteCount($1.metadata)
                }
                return sum + own + result.path.length + Self.byteCount(result.metadata) + duplicates
            }
        }

        private static func byteCount(_ metadata: [String: MetadataValue]) -> Int {
            metadata.reduce(0) { $0 + $1.key.utf8.count + byteCount($1.value) }
        }

        private static func byteCount(_ value: MetadataValue) -> Int {
            switch value {
            case .number, .flag: 16
            case .text(let text): 16 + text.utf8.count
            case .list(let texts): texts.reduce(16) { $0 + 16 + $1.utf8.count }
            }
        }
    }

    private let batcher: Batcher<Search, Served>
    private let metrics: ServiceMetrics

    /// A batcher.
    ///
    /// - Parameters:
    ///   - queue: the model's thread.
    ///   - gallery: what is searched, asked anew for every batch.
    init(
        _ queue: WorkQueue, _ settings: ServerConfiguration.Batching, _ metrics: ServiceMetrics,
        gallery: @escaping @Sendable () -> Gallery
    ) {
        self.metrics = metrics
        batcher = Batcher(queue, settings) { items in
            let gallery = gallery()
            metrics.countBatch(items.count)
            let answers = gallery.searcher.search(
                items.map { ($0.request.query, $0.request.options, $0.limit) })
            if let times = answers.lazy.compactMap({ try? $0.get().times }).first {
                metrics.record(.encode, times.encoding)
                metrics.record(.recall, times.recall)
                metrics.record(.rerank, times.reranking)
            }
            return answers.map { $0.map { Served(answer: $0, gallery: gallery) } }
        }
    }

    /// Queries that wait.
    var waiting: Int { batcher.waiting }

    /// Answers a query.
    ///
    /// - Throws: ``Problem`` if too many wait; `CancellationError` as soon as the task is
    ///   cancelled; what ``Searcher`` throws.
    func search(_ query: SearchQuery, _ options: SearchOptions) async throws -> Served {
        do {
            return try await batcher.answer(Search(query: query, options: options))
        } catch let problem as Problem {
            metrics.countTurnedAway()
            throw problem
        }
    }
}
