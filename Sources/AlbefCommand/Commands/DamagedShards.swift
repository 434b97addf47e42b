import CommandSupport
import ImageText
import Synchronization

/// Prints damaged shards, and remembers whether there were any.
final class DamagedShards: Sendable {
    private let found = Mutex(false)
    var isAny: Bool { found.withLock { $0 } }

    func report(_ damage: ShardDamage) {
        found.withLock { $0 = true }
        Console.note("damaged shard: \(damage)")
    }
}
