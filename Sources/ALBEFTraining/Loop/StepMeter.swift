import ALBEF
import OrderedCollections
import Torch

/// Averages the measurements of steps until they are logged.
struct StepMeter {
    /// The measurements of one step.
    struct Step {
        var learningRate: Double
        var loss = 0.0
        var itc, itm, mlm, itmAccuracy, accuracy: Double?
        var alpha = 0.0
        var gradientNorm: Double?
        var temperature: Double?
        var pairs = 0

        init(learningRate: Double) { self.learningRate = learningRate }

        /// Adds the losses of one of the step's `count` forward passes.
        mutating func add(_ losses: TrainingLosses, alpha: Double, pairs: Int, of count: Int) {
            func mean(_ sum: Double?, _ value: Double?) -> Double? {
                value.map { (sum ?? 0) + $0 / Double(count) }
            }
            loss += losses.total.scalar() / Double(count)
            itc = mean(itc, losses.parts["itc"]?.scalar())
            itm = mean(itm, losses.parts["itm"]?.scalar())
            mlm = mean(mlm, losses.parts["mlm"]?.scalar())
            let matches = losses.parts["itm"] != nil
            itmAccuracy = mean(itmAccuracy, matches ? losses.accuracy : nil)
            accuracy = mean(accuracy, matches ? nil : losses.accuracy)
            self.alpha = alpha
            self.pairs += pairs
        }

        /// Returns the losses averaged over the processes, each of which has measured its part.
        func averaged(over ranks: TrainingRanks) throws -> Step {
            var result = self
            let means = try ranks.means([loss, itc, itm, mlm, itmAccuracy, accuracy])
            result.loss = means[0] ?? loss
            (result.itc, result.itm, result.mlm) = (means[1], means[2], means[3])
            (result.itmAccuracy, result.accuracy) = (means[4], means[5])
            return result
        }
    }

    private var steps: [Step] = []
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var intervalStart: ContinuousClock.Instant
    private let earlierSeconds: Double
    private var pairsSeen: Int

    /// Starts the clock; a resumed run continues the totals of its earlier part.
    init(after earlier: StepMetrics?) {
        start = clock.now
        intervalStart = start
        earlierSeconds = earlier?.seconds ?? 0
        pairsSeen = earlier?.pairsSeen ?? 0
    }

    mutating func add(_ step: Step) {
        steps.append(step)
        pairsSeen += step.pairs
    }

    mutating func startInterval() {
        steps.removeAll(keepingCapacity: true)
        intervalStart = clock.now
    }

    /// Returns the averages since the last logged step.
    func metrics(step: Int, epoch: Int) -> StepMetrics {
        func mean(_ value: (Step) -> Double?) -> Double? {
            let values = steps.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        let interval = (clock.now - intervalStart).seconds
        let pairs = steps.reduce(0) { $0 + $1.pairs }
        return StepMetrics(
            step: step, epoch: epoch, seconds: earlierSeconds + (clock.now - start).seconds,
            pairsSeen: pairsSeen, loss: mean(\.loss) ?? 0, itc: mean(\.itc), itm: mean(\.itm),
            mlm: mean(\.mlm), temperature: steps.last?.temperature, alpha: steps.last?.alpha ?? 0,
            learningRate: steps.last?.learningRate ?? 0, gradientNorm: mean(\.gradientNorm),
            pairsPerSecond: interval > 0 ? Double(pairs) / interval : 0,
            residentMegabytes: Double(ProcessMemory.residentBytes ?? 0) / 1e6,
            itmAccuracy: mean(\.itmAccuracy), accuracy: mean(\.accuracy))
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
