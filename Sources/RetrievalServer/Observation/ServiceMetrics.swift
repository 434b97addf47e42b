import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The counters and histograms of the service, which it reports in Prometheus' text format.
final class ServiceMetrics: Sendable {
    /// A distribution of values over fixed bounds.
    private struct Histogram {
        var counts: [Int]
        var sum = 0.0
        init(_ bounds: [Double]) { counts = Array(repeating: 0, count: bounds.count + 1) }

        mutating func record(_ value: Double, _ bounds: [Double]) {
            counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
            sum += value
        }
    }

    /// A stage of the work on a request; its raw value is the label.
    enum Stage: String, CaseIterable {
        case encode, recall, rerank, explain, locate, answer, commit
    }

    private struct Endpoint: Hashable { let method, route: String }
    private struct Answer: Hashable {
        let endpoint: Endpoint
        let status: Int
    }

    private struct State {
        var answers: [Answer: Int] = [:]
        var seconds: [Endpoint: Histogram] = [:]
        var stages: [Stage: Histogram] = [:]
        var batches = Histogram(ServiceMetrics.sizes)
        var inFlight = 0
        var connections = 0
        var cacheHits = 0
        var cacheMisses = 0
        var turnedAway = 0
    }

    private static let bounds = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
    ]
    private static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64]
    private let state = Mutex(State())
    private let version: String
    private let recall: String
    private let start = Date.now

    /// Creates metrics that start at zero.
    ///
    /// - Parameters:
    ///   - version: The program's version.
    ///   - recall: What proposes candidates: `embedded`, or the kind of a store.
    init(version: String, recall: String = "embedded") {
        self.version = version
        self.recall = recall
    }

    func begin() { state.withLock { $0.inFlight += 1 } }
    func end() { state.withLock { $0.inFlight -= 1 } }

    /// Adds to the number of open connections; a negative change counts closed ones.
    func countConnections(_ change: Int) { state.withLock { $0.connections += change } }

    /// Counts an answered request.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - route: The pattern of the path, so that the number of labels stays small.
    ///   - status: The HTTP status of the answer.
    ///   - seconds: The time to answer; nil if the input never became a request.
    func count(method: String, route: String, status: Int, seconds: Double?) {
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE"]
        let endpoint = Endpoint(method: known.contains(method) ? method : "other", route: route)
        state.withLock { state in
            state.answers[Answer(endpoint: endpoint, status: status), default: 0] += 1
            guard let seconds else { return }
            state.seconds[endpoint, default: Histogram(Self.bounds)].record(seconds, Self.bounds)
        }
    }

    func record(_ stage: Stage, _ duration: Duration) {
        let seconds = duration / .seconds(1)
        state.withLock {
            $0.stages[stage, default: Histogram(Self.bounds)].record(seconds, Self.bounds)
        }
    }

    /// Counts a batch of queries.
    func countBatch(_ size: Int) {
        state.withLock { $0.batches.record(Double(size), Self.sizes) }
    }

    func countCache(isHit: Bool) {
        state.withLock { if isHit { $0.cacheHits += 1 } else { $0.cacheMisses += 1 } }
    }

    /// Counts a request that was refused because the queue was full.
    func countTurnedAway() { state.withLock { $0.turnedAway += 1 } }

    /// The figures that other parts of the service supply for a scrape.
    struct Gauges {
        var images = 0
        var segments = 0
        var generation = 0
        var waiting = 0
        var isCurrent = true
    }

    /// Returns all metrics for a scrape.
    func text(_ gauges: Gauges) -> String {
        let state = state.withLock { $0 }
        var page = Exposition()
        page.family("http_server_requests_total", "counter", "Answered requests.")
        for (answer, count) in state.answers.sorted(by: {
            ($0.key.endpoint.route, $0.key.endpoint.method, $0.key.status)
                < ($1.key.endpoint.route, $1.key.endpoint.method, $1.key.status)
        }) {
            page.line(
                [
                    ("method", answer.endpoint.method), ("route", answer.endpoint.route),
                    ("status", "\(answer.status)"),
                ], Double(count))
        }
        page.family("http_server_request_duration_seconds", "histogram", "Time to answer.")
        for (endpoint, histogram) in state.seconds.sorted(by: {
            ($0.key.route, $0.key.method) < ($1.key.route, $1.key.method)
        }) {
            page.histogram(
                [("method", endpoint.method), ("route", endpoint.route)], Self.bounds,
                histogram.counts, sum: histogram.sum)
        }
        page.family("albef_stage_seconds", "histogram", "Time of each stage of a batch.")
        for stage in Stage.allCases {
            let histogram = state.stages[stage] ?? Histogram(Self.bounds)
            page.histogram(
                [("stage", stage.rawValue)], Self.bounds, histogram.counts, sum: histogram.sum)
        }
        page.family("albef_batch_queries", "histogram", "Queries per batch.")
        page.histogram([], Self.sizes, state.batches.counts, sum: state.batches.sum)
        page.family("albef_build_info", "gauge", "The version of the program; always 1.")
        page.line([("version", version)], 1)
        page.family("albef_recall_info", "gauge", "What proposes candidates; always 1.")
        page.line([("kind", recall)], 1)
        let process = ProcessFigures()
        let singles: [(String, String, String, Double?)] = [
            (
                "process_start_time_seconds", "gauge", "Start time of the service since 1970.",
                start.timeIntervalSince1970
            ),
            (
                "process_resident_memory_bytes", "gauge", "Resident memory.",
                process.residentBytes.map(Double.init)
            ),
            ("process_open_fds", "gauge", "Open descriptors.", process.openFiles.map(Double.init)),
            (
                "http_server_open_connections", "gauge", "Open connections.",
                Double(state.connections)
            ),
            (
                "http_server_active_requests", "gauge", "Requests being answered.",
                Double(state.inFlight)
            ),
            (
                "albef_queue_waiting", "gauge", "Requests waiting for the model.",
                Double(gauges.waiting)
            ),
            (
                "albef_queue_full_total", "counter", "Requests refused because the queue was full.",
                Double(state.turnedAway)
            ),
            ("albef_cache_hits_total", "counter", "Cached answers.", Double(state.cacheHits)),
            ("albef_cache_misses_total", "counter", "Computed answers.", Double(state.cacheMisses)),
            ("albef_index_images", "gauge", "Images in the index.", Double(gauges.images)),
            ("albef_index_segments", "gauge", "Segments of the index.", Double(gauges.segments)),
            (
                "albef_index_generation", "gauge", "Number of the index's last commit.",
                Double(gauges.generation)
            ),
            (
                "albef_index_current", "gauge", "0 while the index on disk cannot be served.",
                gauges.isCurrent ? 1 : 0
            ),
        ]
        for (name, kind, help, value) in singles {
            guard let value else { continue }
            page.family(name, kind, help)
            page.line([], value)
        }
        return page.text
    }
}

/// A text in Prometheus' format, version 0.0.4.
private struct Exposition {
    private(set) var text = ""
    private var name = ""

    mutating func family(_ name: String, _ kind: String, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    mutating func line(_ labels: [(String, String)], _ value: Double, suffix: String = "") {
        let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        let number = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        text += "\(name)\(suffix)\(list.isEmpty ? "" : "{\(list)}") \(number)\n"
    }

    mutating func histogram(
        _ labels: [(String, String)], _ bounds: [Double], _ counts: [Int], sum: Double
    ) {
        var total = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
            line(labels + [("le", bound)], Double(total), suffix: "_bucket")
        }
        line(labels, sum, suffix: "_sum")
        line(labels, Double(total), suffix: "_count")
    }

    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.joined()
    }
}
