internal import Synchronization

/// The reason that the rest of a shard cannot be used.
public struct ShardDamage: Error, Sendable, Hashable, CustomStringConvertible {
    /// The shard.
    public let shard: ShardAddress
    /// The byte of the archive at which reading stopped.
    public let offset: Int64
    /// What is wrong there.
    public let reason: String
    /// The number of samples before the fault, which can be used.
    public let samples: Int

    /// The shard, the place, the fault and what is left, in one line.
    public var description: String {
        "\(shard): \(reason) (byte \(offset)); \(samples) samples before it can be used, the rest of"
            + " this shard is skipped"
    }
}

/// Reports damaged shards, each fault once.
package final class ShardDamages: Sendable {
    private let report: @Sendable (ShardDamage) -> Void
    private let known = Mutex<Set<ShardDamage>>([])

    /// Creates a report without faults.
    package init(_ report: @escaping @Sendable (ShardDamage) -> Void) { self.report = report }

    /// Reports a fault, unless it was reported before.
    package func add(_ damage: ShardDamage) {
        if known.withLock({ $0.insert(damage).inserted }) { report(damage) }
    }
}
