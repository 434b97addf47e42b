import Foundation
import ImageText
import Torch

extension PretrainingRun {
    /// What the first steps of a run took.
    package struct Trial: Sendable, Hashable, Codable {
        /// The shortest time of a step but the first, in seconds, with the wait for its images.
        package let seconds: Double
        /// The shortest processor time of a step but the first, with the loading beside it.
        package let processorSeconds: Double
        /// The most memory of this process so far, in bytes; nil if the system does not tell.
        package let peakBytes: Int?

        enum CodingKeys: String, CodingKey {
            case seconds
            case processorSeconds = "processor_seconds"
            case peakBytes = "peak_bytes"
        }
    }

    /// Takes the first steps of a run, without a log or a checkpoint, and measures them.
    ///
    /// - Parameter count: The number of steps, at least 2: the first one also allocates the
    ///   optimizer's averages. The data are read again from their beginning if they have fewer.
    /// - Throws: The errors of ``run()``.
    package func trial(steps count: Int = 3) async throws -> Trial {
        keepFreedMemory()
        defer { maps?.close() }
        let accumulation = configuration.training.accumulation
        var batches = source.batches(from: .init(), begunWith: 1)
        let clock = ContinuousClock()
        var (seconds, processor) = (Double.infinity, Double.infinity)
        for step in 0..<count {
            let (start, before) = (clock.now, Self.processorSeconds)
            var waiting: [RunBatch] = []
            while waiting.count < accumulation,
                let batch = try await batches.next(isolation: #isolation)
            {
                waiting.append(batch)
            }
            _ = try take(waiting)
            guard step > 0 else { continue }
            seconds = min(seconds, start.duration(to: clock.now).seconds)
            processor = min(processor, Self.processorSeconds - before)
        }
        return Trial(
            seconds: seconds, processorSeconds: processor, peakBytes: ProcessMemory.peakBytes)
    }

    /// The processor time of this process so far.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
