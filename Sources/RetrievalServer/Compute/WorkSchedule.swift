import DequeModule

/// The priority of a job.
package enum WorkUrgency: Int, Sendable, CaseIterable {
    /// A client waits for an answer.
    case query
    /// A client waits for its image to enter the index.
    case upload
    /// The service indexes an image of the followed folder, and no client waits.
    case folder

    /// The number of other jobs that may go first while a job of this urgency waits.
    var patience: Int {
        switch self {
        case .query: .max
        case .upload: 2
        case .folder: 4
        }
    }
}

/// A schedule that orders waiting jobs by urgency without starving any of them.
///
/// The most urgent job is next, unless jobs have passed over a less urgent one too often. Jobs of the
/// same urgency keep their order. Under a constant load of queries, a waiting upload has every third
/// turn, and a waiting job of the folder every fifth.
package struct WorkSchedule<Job> {
    private struct Line {
        var jobs: Deque<(number: UInt64, job: Job)> = []
        /// The turns of other lines since this one began to wait or last had a turn.
        var passedOver = 0
    }

    private var lines = WorkUrgency.allCases.map { _ in Line() }

    /// Creates an empty schedule.
    package init() {}

    /// The number of waiting jobs.
    package var count: Int { lines.reduce(0) { $0 + $1.jobs.count } }

    /// Adds a job.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - number: The number that ``remove(_:)`` accepts, which no other waiting job may have.
    ///   - urgency: The priority of the job.
    package mutating func add(_ job: Job, number: UInt64, _ urgency: WorkUrgency) {
        lines[urgency.rawValue].jobs.append((number, job))
    }

    /// Removes a waiting job; does nothing if the job has had its turn.
    ///
    /// - Complexity: O(n) in the number of waiting jobs.
    package mutating func remove(_ number: UInt64) {
        for position in lines.indices {
            lines[position].jobs.removeAll { $0.number == number }
            if lines[position].jobs.isEmpty { lines[position].passedOver = 0 }
        }
    }

    /// Removes and returns the next job; returns nil if none waits.
    package mutating func next() -> Job? {
        let waiting = WorkUrgency.allCases.filter { !lines[$0.rawValue].jobs.isEmpty }
        let due = waiting.last { lines[$0.rawValue].passedOver >= $0.patience }
        guard let chosen = due ?? waiting.first else { return nil }
        for other in waiting where other != chosen { lines[other.rawValue].passedOver += 1 }
        lines[chosen.rawValue].passedOver = 0
        return lines[chosen.rawValue].jobs.popFirst()?.job
    }
}
