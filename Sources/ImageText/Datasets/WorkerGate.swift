internal import Synchronization

/// Lets a limited number of tasks work at once, those with the lowest turn first.
///
/// Waiting tasks are suspended and hold no thread. Cancelled tasks stay in the line; because every
/// piece of work is short, they soon get their turn and throw.
final class WorkerGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [(turn: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    /// Runs `work` as soon as a place is free.
    ///
    /// - Throws: `CancellationError` if the task is cancelled by then, otherwise any error of
    ///   `work`.
    func run<Result>(turn: Int, _ work: () throws -> Result) async throws -> Result {
        await enter(turn)
        defer { leave() }
        try Task.checkCancellation()
        return try work()
    }

    /// Runs `work` for each number below `count`, as many at a time as there are places.
    ///
    /// - Returns: The results in the order of the numbers.
    /// - Throws: The errors of ``run(turn:_:)``.
    func map<Result: Sendable>(
        _ count: Int, turn: Int, _ work: @escaping @Sendable (Int) throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            for number in 0..<count {
                group.addTask { [self] in (number, try await run(turn: turn) { try work(number) }) }
            }
            var results = [Result?](repeating: nil, count: count)
            for try await (number, result) in group { results[number] = result }
            return results.compactMap { $0 }
        }
    }

    private func enter(_ turn: Int) async {
        await withCheckedContinuation { continuation in
            let entered = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append((turn, continuation))
                return false
            }
            if entered { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            let first = state.waiting.indices.min {
                state.waiting[$0].turn < state.waiting[$1].turn
            }
            guard let first else {
                state.free += 1
                return nil
            }
            return state.waiting.remove(at: first).continuation
        }
        next?.resume()
    }
}
