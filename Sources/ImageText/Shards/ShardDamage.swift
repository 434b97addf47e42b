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
