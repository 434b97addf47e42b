import Synchronization

/// The number of bytes that the service holds in request bodies, which bounds their sum.
final class BodyBudget: Sendable {
    /// The bytes of one body, which return to the budget when the share is released.
    final class Share: Sendable {
        private let budget: BodyBudget
        private let taken = Mutex(0)

        fileprivate init(_ budget: BodyBudget) { self.budget = budget }

        deinit {
            let bytes = taken.withLock { $0 }
            budget.held.withLock { $0 -= bytes }
        }

        /// Takes further bytes from the budget.
        ///
        /// - Throws: ``Problem`` if all bodies together would have more than `limit` bytes.
        func grow(by bytes: Int, limit: Int) throws {
            let isFree = budget.held.withLock { held in
                guard held + bytes <= limit else { return false }
                held += bytes
                return true
            }
            guard isFree else {
                throw Problem.unavailable("too many large bodies at once; try again later")
            }
            taken.withLock { $0 += bytes }
        }
    }

    private let held = Mutex(0)

    /// Creates an empty share for one body.
    func share() -> Share { Share(self) }
}
