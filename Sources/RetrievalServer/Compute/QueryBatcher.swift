import Retrieval
import SystemPackage

/// Answers the searches of all connections in batches, on the thread of the model.
final class QueryBatcher: Sendable {
    private struct Search: Sendable {
        let query: SearchQuery
        let options: SearchOptions
    }

    /// An answer, and the generation of the index that was searched.
    ///
    /// It has no part of the index, because answers are remembered: they would keep the files of
    /// former generations open, and so their memory and their space on the disk.
    struct Served: Sendable {
        let answer: SearchAnswer
        let generation: Int

        /// The approximate size of the answer in memory, in bytes.
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

    /// Creates a batcher.
    ///
    /// - Parameters:
    ///   - queue: The thread that runs the model.
    ///   - settings: The size of batches, the delay, and the number of queries that may wait.
    ///   - metrics: The metrics to which batches and stages are added.
    ///   - gallery: A closure that returns the state of the index to search; called per batch.
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
            return answers.map {
                $0.map { Served(answer: $0, generation: gallery.index.generation) }
            }
        }
    }

    /// The number of waiting queries.
    var waiting: Int { batcher.waiting }

    /// Answers a query.
    ///
    /// - Throws: ``Problem`` if too many queries wait; `CancellationError` as soon as the task is
    ///   cancelled; the errors of `Searcher`.
    func search(_ query: SearchQuery, _ options: SearchOptions) async throws -> Served {
        do {
            return try await batcher.answer(Search(query: query, options: options))
        } catch let problem as Problem {
            metrics.countTurnedAway()
            throw problem
        }
    }
}
