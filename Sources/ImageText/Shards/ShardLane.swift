/// The shuffled samples of one part of one epoch.
///
/// The sequence has no end: after the last sample of the part it begins again, in another order.
/// That happens only if shards turn out to have fewer samples than expected.
struct ShardLane: Sendable {
    /// What the lanes of all epochs have in common.
    struct Settings: Sendable {
        let shards: ShardSet
        let fields: ShardFields
        let plan: ShardPlan
        let seed: UInt64
        /// The number of samples among which each one is drawn.
        let capacity: Int
        let open: @Sendable (ShardAddress) throws -> any ShardStream
        let onDamage: @Sendable (ShardDamage) -> Void
    }

    private let settings: Settings
    private let epoch: Int
    private let part: ShardPart
    /// The number of times that the part has been read to its end.
    private var round = 0
    private var source: SliceReader
    private var shuffle: ShuffleBuffer<ShardSample>
    private var isRoundEmpty = true
    /// The number of samples that have left.
    private(set) var left = 0

    /// Creates the lane, which opens nothing yet.
    init(_ settings: Settings, epoch: Int, part: ShardPart) {
        self.settings = settings
        self.epoch = epoch
        self.part = part
        source = Self.source(settings, epoch, part)
        shuffle = ShuffleBuffer(
            capacity: settings.capacity, random: Self.random(settings, epoch, part, round: 0))
    }

    /// Returns the next sample.
    ///
    /// - Throws: ``DatasetError`` if the part has no sample that can be read.
    mutating func next() throws(DatasetError) -> ShardSample {
        while true {
            let sample = Self.next(&shuffle, &source)
            if let sample {
                left += 1
                isRoundEmpty = false
                return sample
            }
            guard !isRoundEmpty else { throw noSamples() }
            begin(round: round + 1)
        }
    }

    private static func next(
        _ shuffle: inout ShuffleBuffer<ShardSample>, _ source: inout SliceReader
    ) -> ShardSample? {
        shuffle.next { source.next() }
    }

    /// Returns samples that can stand in for some that cannot be used; they stay in the sequence.
    func spares(_ count: Int, using random: inout SplitMix64) -> [ShardSample] {
        guard !shuffle.slots.isEmpty else { return [] }
        return (0..<count).map { _ in
            shuffle.slots[random.integer(below: shuffle.slots.count)]
        }
    }

    /// Goes on to the state after a number of samples, as if they had been read.
    ///
    /// The order is found out by numbers first. Then the shards are read again from the beginning,
    /// but only the content of samples that the buffer has at that point.
    ///
    /// - Throws: ``DatasetError`` if the part has no sample that can be read.
    mutating func advance(to count: Int) throws(DatasetError) {
        if left == 0 { try replay(count) }
        while left < count { _ = try next() }
    }

    private mutating func replay(_ count: Int) throws(DatasetError) {
        var rest = count
        while rest > 0 {
            // The stream may be shorter than expected, which its first reading shows.
            var length = settings.plan.sampleCount(of: part) ?? Int.max
            var replayed = Replay(rest, length, self)
            while let actual = replayed.read() {
                length = actual
                replayed = Replay(rest, length, self)
            }
            guard replayed.left > 0 else { throw noSamples() }
            if replayed.left < rest {
                rest -= replayed.left
                begin(round: round + 1)
                continue
            }
            (source, shuffle) = (replayed.source, replayed.shuffle)
            isRoundEmpty = false
            rest = 0
        }
        left = count
    }

    private mutating func begin(round: Int) {
        self.round = round
        isRoundEmpty = true
        source = Self.source(settings, epoch, part)
        shuffle = ShuffleBuffer(
            capacity: settings.capacity, random: Self.random(settings, epoch, part, round: round))
    }

    private func noSamples() -> DatasetError {
        .shards(
            settings.shards.addresses.first?.description ?? "the shards",
            "part \(part.index + 1) of \(part.count) has no sample that can be read; check the"
                + " shards with 'albef data validate'")
    }

    private static func source(_ settings: Settings, _ epoch: Int, _ part: ShardPart) -> SliceReader
    {
        SliceReader(
            settings.plan.slices(ofEpoch: epoch, part: part), of: settings.shards.addresses,
            fields: settings.fields, open: settings.open, onDamage: settings.onDamage)
    }

    private static func random(
        _ settings: Settings, _ epoch: Int, _ part: ShardPart, round: Int
    ) -> SplitMix64 {
        SplitMix64(
            seed: settings.seed, stream: EpochOrder.Stream.buffer.rawValue, epoch, part.index,
            part.count, round)
    }

    /// One reading of a round, without the content of samples that have left.
    private struct Replay {
        private let numbers: ShuffleBuffer<Int>
        private let taken: Int
        /// The number of samples that have left.
        let left: Int
        private(set) var source: SliceReader
        private(set) var shuffle: ShuffleBuffer<ShardSample>

        init(_ count: Int, _ length: Int, _ lane: ShardLane) {
            let random = ShardLane.random(
                lane.settings, lane.epoch, lane.part, round: lane.round)
            (numbers, taken, left) = ShuffleBuffer<Int>.replay(
                count, ofStream: length, capacity: lane.settings.capacity, random: random)
            source = ShardLane.source(lane.settings, lane.epoch, lane.part)
            shuffle = ShuffleBuffer(capacity: lane.settings.capacity, random: random)
        }

        /// Reads the samples that the buffer has; returns the length of a stream that is shorter
        /// than expected.
        mutating func read() -> Int? {
            let kept = Set(numbers.slots)
            var samples: [Int: ShardSample] = [:]
            for number in 0..<taken {
                if kept.contains(number) {
                    guard let sample = source.next() else { return number }
                    samples[number] = sample
                } else {
                    guard source.skip() else { return number }
                }
            }
            shuffle = numbers.compactMap { samples[$0] }
            return nil
        }
    }
}
