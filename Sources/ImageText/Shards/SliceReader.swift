/// Reads the samples of slices, one shard after another, and goes on to the next when one is
/// damaged.
struct SliceReader: Sendable {
    private let shards: [ShardAddress]
    private let fields: ShardFields
    private let open: @Sendable (ShardAddress) throws -> any ShardStream
    private let onDamage: @Sendable (ShardDamage) -> Void
    private var slices: ArraySlice<ShardPlan.Slice>
    private var reader: ShardReader?
    /// The number of the shard's sample that is read next.
    private var ordinal = 0

    init(
        _ slices: [ShardPlan.Slice], of shards: [ShardAddress], fields: ShardFields,
        open: @escaping @Sendable (ShardAddress) throws -> any ShardStream,
        onDamage: @escaping @Sendable (ShardDamage) -> Void
    ) {
        self.slices = slices[...]
        self.shards = shards
        self.fields = fields
        self.open = open
        self.onDamage = onDamage
    }

    /// Returns the next sample, or `nil` at the end of the last slice.
    mutating func next() -> ShardSample? {
        advance { reader throws(ShardDamage) in try reader.next() }
    }

    /// Passes over the next sample; returns whether there was one.
    mutating func skip() -> Bool {
        advance { reader throws(ShardDamage) in try reader.skip() ? () : nil } != nil
    }

    private mutating func advance<Result>(
        _ read: (inout ShardReader) throws(ShardDamage) -> Result?
    ) -> Result? {
        while let slice = slices.first {
            let address = shards[slice.shard]
            var reader =
                self.reader
                ?? ShardReader(address, fields: fields, countsOnly: false) { [open] in
                    try open(address)
                }
            // Leave this one reader alone, so that its buffer is not copied.
            self.reader = nil
            do throws(ShardDamage) {
                if let result = try Self.next(of: slice, &reader, &ordinal, read) {
                    self.reader = reader
                    return result
                }
                if let missing = slice.missing(after: ordinal, in: reader) { onDamage(missing) }
            } catch {
                onDamage(error)
            }
            ordinal = 0
            slices.removeFirst()
        }
        return nil
    }

    /// Reads up to the next sample of a slice, and that.
    private static func next<Result>(
        of slice: ShardPlan.Slice, _ reader: inout ShardReader, _ ordinal: inout Int,
        _ read: (inout ShardReader) throws(ShardDamage) -> Result?
    ) throws(ShardDamage) -> Result? {
        while ordinal < slice.range.upperBound {
            let distance = ordinal - slice.range.lowerBound
            if distance >= 0, distance.isMultiple(of: slice.step) {
                guard let result = try read(&reader) else { return nil }
                ordinal += 1
                return result
            }
            guard try reader.skip() else { return nil }
            ordinal += 1
        }
        return nil
    }
}

extension ShardPlan.Slice {
    /// Returns what to report if a shard ended before the end of the slice.
    fileprivate func missing(after ordinal: Int, in reader: ShardReader) -> ShardDamage? {
        guard range.upperBound < Int.max, ordinal < range.upperBound else { return nil }
        return reader.damage(
            "ends after \(ordinal) samples, but was said to have at least \(range.upperBound)")
    }
}
