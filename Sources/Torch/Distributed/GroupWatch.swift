import Dispatch
import Foundation
import Synchronization

/// Watches the other processes of a group through its store, on a thread of its own.
///
/// Every process writes a sign of life at short intervals: a count, the number of collectives that
/// it has begun, and its place. It writes a last word when it ends. After a failed collective, this
/// shows which process caused the failure, because the connections alone would show the neighbour
/// that gave up first.
final class GroupWatch: Sendable {
    /// The last word of a process.
    enum End: Equatable {
        /// It needs the group no longer.
        case finished
        /// An error of its own ended it.
        case failed(String)
        /// It found that these processes are gone.
        case lost(String, ranks: [Int])
    }

    /// What is known about another process.
    struct Seen {
        var beat = ""
        var heard: ContinuousClock.Instant
        /// The number of collectives that it has begun.
        var begun = 0
        var place = ""
        var end: End?
    }

    private struct State {
        var beats = 0
        var begun = 0
        var place = ""
        var others: [Int: Seen]
        /// When the store answered last.
        var answered: ContinuousClock.Instant
        var isRunning = false
        var isStopped = false
    }

    private let configuration: ProcessGroupConfiguration
    private let state: Mutex<State>
    private let wakening = DispatchSemaphore(value: 0)
    private let ending = DispatchSemaphore(value: 0)

    init(_ configuration: ProcessGroupConfiguration) {
        self.configuration = configuration
        let now = ContinuousClock.now
        let others = (0..<configuration.count).filter { $0 != configuration.rank }
        state = Mutex(
            State(
                others: Dictionary(uniqueKeysWithValues: others.map { ($0, Seen(heard: now)) }),
                answered: now))
    }

    /// Starts the thread, which ends with this object or by ``stop()``.
    ///
    /// - Parameter store: a connection of its own, because calls to one wait for each other.
    func start(_ store: StoreHandle) {
        // The store answers every process about every other one.
        let interval = max(0.5, Double(configuration.count) / 64)
        state.withLock { $0.isRunning = true }
        Thread.detachNewThread { [weak self, wakening, ending] in
            while self?.look(store) == true {
                _ = wakening.wait(timeout: .now() + interval)
            }
            ending.signal()
        }
    }

    /// Ends the thread, which must not use libtorch any more when the process ends.
    func stop() {
        let isRunning = state.withLock { state in
            defer { (state.isRunning, state.isStopped) = (false, true) }
            return state.isRunning
        }
        guard isRunning else { return }
        wakening.signal()
        // A store that does not answer is given up.
        _ = ending.wait(timeout: .now() + 5)
    }

    var others: [Int: Seen] { state.withLock { $0.others } }
    /// The time since the store answered.
    var silenceOfStore: Duration { state.withLock { .now - $0.answered } }
    /// The number of collectives that this process has begun.
    var begun: Int { state.withLock { $0.begun } }

    /// Notes that this process begins a collective.
    func begin() { state.withLock { $0.begun += 1 } }

    /// Notes where this process is, in words.
    func note(place: String) { state.withLock { $0.place = place } }

    /// Writes a sign of life and reads those of the others; returns false once it is stopped.
    private func look(_ store: StoreHandle) -> Bool {
        let own: String? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.beats += 1
            return "\(state.beats)|\(state.begun)|\(state.place)"
        }
        guard let own else { return false }
        do {
            try store.set(key("beat", configuration.rank), Array(own.utf8))
            for rank in others.keys {
                let beat = try store.get(key("beat", rank)).map {
                    String(decoding: $0, as: UTF8.self)
                }
                let end = try store.get(key("end", rank)).flatMap(End.init)
                note(rank, beat ?? "", end)
            }
            state.withLock { $0.answered = .now }
        } catch {
            // The silence of the store grows.
        }
        return true
    }

    private func note(_ rank: Int, _ beat: String, _ end: End?) {
        state.withLock { state in
            guard var seen = state.others[rank] else { return }
            if seen.beat != beat {
                seen.beat = beat
                seen.heard = .now
                let parts = beat.split(
                    separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
                if parts.count == 3 {
                    seen.begun = Int(parts[1]) ?? 0
                    seen.place = String(parts[2])
                }
            }
            seen.end = end ?? seen.end
            state.others[rank] = seen
        }
    }

    /// Returns the name of a key of a process.
    func key(_ kind: String, _ rank: Int) -> String {
        "\(configuration.keyPrefix)\(kind)/\(rank)"
    }
}

extension GroupWatch.End {
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        switch parts.first {
        case "finished": self = .finished
        case "failed" where parts.count == 3: self = .failed(String(parts[2]))
        case "lost" where parts.count == 3:
            self = .lost(
                String(parts[2]), ranks: parts[1].split(separator: ",").compactMap { Int($0) })
        default: return nil
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .finished: Array("finished".utf8)
        case .failed(let reason): Array("failed||\(reason)".utf8)
        case .lost(let text, let ranks):
            Array("lost|\(ranks.map(String.init).joined(separator: ","))|\(text)".utf8)
        }
    }
}
