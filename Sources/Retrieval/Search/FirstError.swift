import Dispatch
import Synchronization

/// Keeps the first error of several threads that cannot throw.
final class FirstError: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    func keep(_ error: any Error) { self.error.withLock { $0 = $0 ?? error } }

    func throwIfAny() throws {
        if let error = error.withLock({ $0 }) { throw error }
    }
}

extension [IndexSegment] {
    /// Returns the results of `work` for each segment in order, computed on all threads.
    ///
    /// - Throws: The first error of `work`.
    func concurrentMap<Result: Sendable>(
        _ work: @Sendable (IndexSegment) throws -> Result
    ) throws -> [Result] {
        let first = FirstError()
        let results = Mutex([Result?](repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: count) { position in
            do {
                let result = try work(self[position])
                results.withLock { $0[position] = result }
            } catch { first.keep(error) }
        }
        try first.throwIfAny()
        return results.withLock { $0.compactMap(\.self) }
    }
}
