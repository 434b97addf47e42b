import Foundation

/// Finds the process that caused a failure, from the signs of life of all of them.
struct GroupDiagnosis {
    private let watch: GroupWatch
    private let configuration: ProcessGroupConfiguration
    /// After a failure, a process without a sign of life for this time is gone.
    private static let silence = Duration.seconds(3)
    /// Without a failure, a process may be silent for this time.
    private static let longSilence = Duration.seconds(30)
    /// The longest time to look for the cause.
    private static let patience = Duration.seconds(10)

    init(_ watch: GroupWatch, _ configuration: ProcessGroupConfiguration) {
        self.watch = watch
        self.configuration = configuration
    }

    /// Whether another process has ended with an error, or has been silent for long, so that waiting
    /// is in vain.
    var isAlarming: Bool {
        watch.silenceOfStore > Self.longSilence
            || watch.others.values.contains { seen in
                switch seen.end {
                case .failed, .lost: true
                case .finished: false
                case nil: .now - seen.heard > Self.longSilence
                }
            }
    }

    /// Watches the others until it is clear which of them is the cause.
    ///
    /// - Parameters:
    ///   - failure: libtorch's error; nil if there was none.
    ///   - begun: the number of collectives that this process had begun.
    ///   - waited: the time for which it waited in vain; nil if it did not.
    func cause(_ failure: TorchError?, begun: Int, waited: Duration?) -> ProcessGroupError {
        let (start, count) = (ContinuousClock.now, configuration.count)
        while .now - start < Self.patience {
            let others = watch.others
            for (rank, seen) in others.sorted(by: { $0.key < $1.key }) {
                switch seen.end {
                case .failed(let reason): return .ended(rank, of: count, because: reason)
                case .lost(let text, let ranks):
                    return ProcessGroupError(foundElsewhere: text, ranks: ranks)
                case .finished, nil: break
                }
            }
            if watch.silenceOfStore > Self.silence {
                return .storeGone(
                    "\(configuration.host):\(configuration.port)",
                    isOurs: configuration.isStoreOurs, count: count)
            }
            let gone = others.filter { $0.value.end == nil && .now - $0.value.heard > Self.silence }
            if !gone.isEmpty {
                let ranks = gone.keys.sorted()
                return .gone(ranks, of: count, places: ranks.map { others[$0]?.place ?? "" })
            }
            // Signs of life must be newer than the failure before they count.
            if let waited, .now - start > Self.silence {
                let behind = others.filter { $0.value.begun < begun }
                let ranks = behind.keys.sorted()
                return .late(
                    ranks.isEmpty ? others.keys.sorted() : ranks, of: count,
                    places: ranks.map { others[$0]?.place ?? "" }, seconds: waited.seconds)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return .connection(failure?.description ?? "no answer")
    }
}
