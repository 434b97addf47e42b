import DequeModule

/// How soon a piece of work has its turn.
package enum WorkUrgency: Int, Sendable, CaseIterable {
    /// A client waits for an answer.
    case query
    /// A client waits until its image is in the index.
    case upload
    /// An image of the followed folder, for which nobody waits.
    case folder

    /// How often other work may go first while work of this urgency waits.
    var patience: Int {
        switch self {
        case .query: .max
        case .upload: 2
        case .folder: 4
        }
    }
}

/// Decides which waiting job is next: the most urgent one, unless a less urgent one has been passed
/// over for too long.
///
/// Jobs of one urgency keep their order. Under a constant load of queries, every third turn is an
/// upload's and every fifth the folder's.
package struct WorkSchedule<Job> {
    private struct Line {
        var jobs: Deque<(number: UInt64, job: Job)> = []
        /// Turns of other lines since this one began to wait or had a turn.
        var passedOver = 0
    }

    private var lines = WorkUrgency.allCases.map { _ in Line() }

    /// Begins with nothing that waits.
    package init() {}

    /// Jobs that wait.
    package var count: Int { lines.reduce(0) { $0 + $1.jobs.count } }

    /// Adds a job.
    ///
    /// - Parameter number: names it for ``remove(_:)``; no two waiting jobs share one.
    package mutating func add(_ job: Job, number: UInt64, _ urgency: WorkUrgency) {
        lines[urgency.rawValue].jobs.append((number, job))
    }

    /// Removes a job that waits; does nothing if it has had its turn.
    ///
    /// - Complexity: O(n) in the jobs that wait.
    package mutating func remove(_ number: UInt64) {
        for position in lines.indices {
            lines[position].jobs.removeAll { $0.number == number }
            if lines[position].jobs.isEmpty { lines[position].passedOver = 0 }
        }
    }

    /// Takes the job whose turn it is; nil if none waits.
    package mutating func next() -> Job? {
        let waiting = WorkUrgency.allCases.filter { !lines[$0.rawValue].jobs.isEmpty }
        let due = waiting.last { lines[$0.rawValue].passedOver >= $0.patience }
        guard let chosen = due ?? waiting.first else { return nil }
        for other in waiting where other != chosen { lines[other.rawValue].passedOver += 1 }
        lines[chosen.rawValue].passedOver = 0
        return lines[chosen.rawValue].jobs.popFirst()?.job
    }
}
