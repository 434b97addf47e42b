import Synchronization

/// How many bytes of bodies the service holds at a time, in all: each is bounded, and so is their sum.
final class BodyBudget: Sendable {
    /// What one body takes, given back when nobody holds it any more.
    final class Share: Sendable {
        private let budget: BodyBudget
        private let taken = Mutex(0)

        fileprivate init(_ budget: BodyBudget) { self.budget = budget }

        deinit {
            let bytes = taken.withLock { $0 }
            budget.held.withLock { $0 -= bytes }
        }

        /// Takes more.
        ///
        /// - Throws: ``Problem`` if all bodies together would have more than `limit` bytes.
        func grow(by bytes: Int, limit: Int) throws {
            let isFree = budget.held.withLock { held in
                guard held + bytes <= limit else { return false }
                held += bytes
                return true
            }
            guard isFree else { throw Problem.unavailable("too many large bodies come at once") }
            taken.withLock { $0 += bytes }
        }
    }

    private let held = Mutex(0)

    /// A share for one body, empty at first.
    func share() -> Share { Share(self) }
}
