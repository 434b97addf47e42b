import ArgumentParser
import Foundation
import Retrieval

/// The value of `--shard`: a shard such as `0/4`, or where to find its number.
struct ShardArgument: ExpressibleByArgument, Sendable {
    private enum Form {
        case named(IndexShard)
        /// The environment has the number, and the count unless it is given.
        case automatic(count: Int?)
    }

    private let form: Form

    init?(argument: String) {
        if let shard = IndexShard(argument) {
            form = .named(shard)
        } else if argument == "auto" {
            form = .automatic(count: nil)
        } else if argument.hasPrefix("auto/"), let shard = IndexShard("0/" + argument.dropFirst(5))
        {
            form = .automatic(count: shard.count)
        } else {
            return nil
        }
    }

    /// Returns the shard.
    ///
    /// - Throws: A usage error if the environment names none.
    func shard(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> IndexShard {
        switch form {
        case .named(let shard): shard
        case .automatic(let count): try Self.shard(count, environment)
        }
    }

    /// The variables by which schedulers say which of how many processes this is, the most specific
    /// first.
    private static let schedulers: [(number: String, count: String?)] = [
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"),
        ("JOB_COMPLETION_INDEX", nil),
        ("RANK", "WORLD_SIZE"),
        ("SLURM_PROCID", "SLURM_NTASKS"),
    ]

    private static func shard(
        _ count: Int?, _ environment: [String: String]
    ) throws -> IndexShard {
        guard let scheduler = schedulers.first(where: { environment[$0.number] != nil }) else {
            let names = schedulers.map(\.number).joined(separator: ", ")
            throw ValidationError(
                "--shard auto finds none of the variables \(names); name the shard, such as 0/4.")
        }
        func value(_ name: String) throws -> Int {
            guard let number = Int(environment[name] ?? "") else {
                throw ValidationError(
                    "--shard auto: \(name) is '\(environment[name] ?? "")', not a number.")
            }
            return number
        }
        let number = try value(scheduler.number)
        let found = try scheduler.count.flatMap { name in
            environment[name] == nil ? nil : try value(name)
        }
        guard let count = count ?? found else {
            throw ValidationError(
                "--shard auto: \(scheduler.number) says which shard this is, but not of how many;"
                    + " add the number, such as auto/4.")
        }
        guard let shard = IndexShard(number, of: count) else {
            throw ValidationError(
                "--shard auto: \(scheduler.number) makes this shard \(number) of \(count); shards"
                    + " are numbered from 0 to \(count - 1).")
        }
        return shard
    }
}

/// A shard in JSON.
struct ShardOutput: Encodable {
    let number, count: Int
    let finished: Bool

    init(_ shard: IndexShard, isFinished: Bool) {
        number = shard.number
        count = shard.count
        finished = isFinished
    }
}
