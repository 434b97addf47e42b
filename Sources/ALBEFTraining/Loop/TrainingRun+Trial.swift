import ALBEF
import Foundation
package import ImageText
package import SystemPackage
import Torch

extension TrainingRun {
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

    /// Takes steps of a run, without a log or a checkpoint, and measures them.
    ///
    /// It takes three steps at least, because the first one also allocates the optimizer's averages,
    /// and more if they are short. The teacher has its full weight, as after its ramp. The data are
    /// read again from their beginning if they have fewer batches.
    ///
    /// - Parameters:
    ///   - directory: The directory that the run begins in.
    ///   - settings: The settings of the run.
    ///   - opener: Opens the shards of training data.
    /// - Throws: The errors of a run.
    package static func trial(
        in directory: FilePath, _ settings: TrainingConfiguration, opener: ShardOpener
    ) async throws -> Trial {
        var settings = settings
        settings.objectives.teacher.rampEpochs = 0
        return try await TrainingRun(directory, settings: settings, opener: opener).trial()
    }

    private func trial() async throws -> Trial {
        keepFreedMemory()
        defer { maps?.close() }
        let accumulation = configuration.training.accumulation
        var batches = source.batches(from: .init(), begunWith: 1)
        let clock = ContinuousClock()
        let begin = clock.now
        var (seconds, processor) = (Double.infinity, Double.infinity)
        var steps = 0
        while steps < 3 || (steps < 20 && begin.duration(to: clock.now) < .seconds(3)) {
            let (start, before) = (clock.now, Self.processorSeconds)
            var waiting: [RunBatch] = []
            while waiting.count < accumulation,
                let batch = try await batches.next(isolation: #isolation)
            {
                waiting.append(batch)
            }
            _ = try take(waiting)
            steps += 1
            guard steps > 1 else { continue }
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
