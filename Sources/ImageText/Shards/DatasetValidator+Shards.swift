internal import Synchronization
internal import SystemPackage

extension DatasetValidator {
    /// Checks every caption and decodes every image of shards.
    ///
    /// Images count as identical if 128-bit fingerprints of their bytes are equal.
    ///
    /// - Parameters:
    ///   - shards: The shards. Where counts are known, a shard with another number of samples is
    ///     reported as damaged.
    ///   - fields: The members that are image and caption.
    ///   - opener: Opens the shards; by default files and commands.
    ///   - onProgress: Called after each sample, on the caller's task, with the number of samples
    ///     so far and the number that is expected, or 0 if it is not known.
    /// - Returns: The counts, the distributions and all problems; the problems of damaged shards
    ///   come last.
    /// - Throws: `CancellationError` if the task is cancelled.
    public func validate(
        _ shards: ShardSet, fields: ShardFields = ShardFields(),
        opener: ShardOpener = ShardOpener(),
        onProgress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> DatasetReport {
        let damages = Damages()
        let samples = ShardSamples(
            shards.addresses, fields: fields, opener: opener, onDamage: { damages.add($0) })
        let total = shards.sampleCount ?? 0
        var outcomes: [(path: FilePath, outcome: Outcome)] = []
        var counts: [ShardAddress: Int] = [:]
        try await withThrowingTaskGroup(of: (Int, FilePath, Outcome).self) { group in
            var (started, done) = (0, 0)
            func collect() async throws {
                guard let (number, path, outcome) = try await group.next() else { return }
                outcomes[number] = (path, outcome)
                done += 1
                onProgress(done, total)
            }
            for try await sample in samples {
                counts[sample.shard, default: 0] += 1
                if started - done >= workers { try await collect() }
                let number = started
                started += 1
                outcomes.append((FilePath(), Outcome()))
                group.addTask {
                    try Task.checkCancellation()
                    return (number, sample.path, check(sample))
                }
            }
            while done < started { try await collect() }
        }
        var report = DatasetReport()
        report.images = outcomes.count { $0.outcome.hasImage }
        report.add(outcomes.map(\.outcome))
        report.problems += identical(outcomes)
        report.problems += damages.all.map { .damagedShard($0) }
        let damaged = Set(damages.all.map(\.shard))
        for (shard, expected) in zip(shards.addresses, shards.counts ?? [])
        where counts[shard, default: 0] != expected && !damaged.contains(shard) {
            let found = counts[shard, default: 0]
            report.problems.append(
                .damagedShard(
                    ShardDamage(
                        shard: shard, offset: 0,
                        reason: "has \(found) samples, but its index says \(expected)",
                        samples: found)))
        }
        return report
    }

    private func check(_ sample: ShardSample) -> Outcome {
        let path = sample.path
        var outcome = Outcome()
        if let image = sample.image {
            outcome.hasImage = true
            do throws(ImageError) {
                try check(image.bytes, at: path, &outcome)
            } catch {
                outcome.problems.append(.undecodableImage(path, reason: error.reason))
            }
        } else {
            outcome.problems.append(.noImage(path))
        }
        do throws(DatasetError) {
            let captions = try sample.captions()
            checkCaptions(of: CaptionedImage(path: path, captions: captions, id: 0), &outcome)
        } catch {
            outcome.problems.append(.unreadableCaption(path, reason: "\(error)"))
        }
        return outcome
    }

    private func identical(
        _ outcomes: [(path: FilePath, outcome: Outcome)]
    ) -> [DatasetReport.Problem] {
        var byHash: [ContentHash: [Int]] = [:]
        for (index, entry) in outcomes.enumerated() {
            if let hash = entry.outcome.hash { byHash[hash, default: []].append(index) }
        }
        return byHash.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
            .map { .identicalImages($0.map { outcomes[$0].path }) }
    }

    /// The damaged shards, from any thread.
    private final class Damages: Sendable {
        private let found = Mutex<[ShardDamage]>([])
        var all: [ShardDamage] { found.withLock { $0 } }

        func add(_ damage: ShardDamage) { found.withLock { $0.append(damage) } }
    }
}
