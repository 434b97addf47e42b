import ALBEFTraining
import Foundation
import Testing

@Suite("Learning rate and alpha")
struct ScheduleTests {
    private func schedule(_ shape: LearningRateSchedule.Shape) -> LearningRateSchedule {
        LearningRateSchedule(
            shape: shape, peak: 1e-4, minimum: 1e-5, warmupStart: 1e-5, warmupSteps: 2000,
            epochs: 30, stepsPerEpoch: 5000)
    }

    private func expect(_ found: Double, _ expected: Double) {
        #expect(abs(found - expected) < 1e-12, "\(found), not \(expected)")
    }

    @Test(
        "The original's rise: a stair of 100 steps",
        arguments: [
            (0, 1e-5), (1, 1e-5), (99, 1e-5), (100, 1.45e-5), (199, 1.45e-5), (1000, 5.5e-5),
            (1999, 9.55e-5), (2000, 1e-4), (2001, 1e-4), (4999, 1e-4),
        ])
    func stair(step: Int, rate: Double) {
        expect(schedule(.cosinePerEpoch).rate(at: step), rate)
    }

    @Test("The original's fall: half a cosine, constant within an epoch", arguments: 1..<30)
    func fall(epoch: Int) {
        let rate = 1e-5 + 0.5 * (1e-4 - 1e-5) * (1 + cos(.pi * Double(epoch) / 30))
        for step in [0, 1, 2500, 4999] {
            expect(schedule(.cosinePerEpoch).rate(at: epoch * 5000 + step), rate)
        }
    }

    @Test("A rise longer than the first epoch ends with it")
    func longRise() {
        var schedule = schedule(.cosinePerEpoch)
        schedule.stepsPerEpoch = 50
        expect(schedule.rate(at: 49), 1e-5)
        expect(schedule.rate(at: 50), 1e-5 + 4.5e-5 * (1 + cos(.pi / 30)))
    }

    @Test("By steps: a straight rise, then one cosine down to the minimum")
    func perStep() {
        let schedule = schedule(.cosinePerStep)
        expect(schedule.rate(at: 0), 1e-5)
        expect(schedule.rate(at: 1), 1e-5 + 9e-5 / 2000)
        expect(schedule.rate(at: 1000), 5.5e-5)
        expect(schedule.rate(at: 2000), 1e-4)
        expect(schedule.rate(at: 2000 + 148_000 / 2), 5.5e-5)
        expect(schedule.rate(at: 150_000), 1e-5)
        expect(schedule.rate(at: 200_000), 1e-5)
        let rates = (2000...150_000).lazy.map(schedule.rate)
        #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
    }

    @Test("Constant: a rise and no fall")
    func constant() {
        expect(schedule(.constant).rate(at: 1000), 5.5e-5)
        expect(schedule(.constant).rate(at: 2000), 1e-4)
        expect(schedule(.constant).rate(at: 149_999), 1e-4)
    }

    @Test(
        "Without a rise the first step has the peak", arguments: LearningRateSchedule.Shape.allCases
    )
    func noRise(shape: LearningRateSchedule.Shape) {
        var schedule = schedule(shape)
        schedule.warmupSteps = 0
        expect(schedule.rate(at: 0), 1e-4)
    }

    @Test("Alpha rises in a straight line over its epochs", arguments: [1.0, 2, 0.5])
    func ramp(epochs: Double) {
        let ramp = DistillationRamp(alpha: 0.4, epochs: epochs, iterationsPerEpoch: 200)
        let length = Int(epochs * 200)
        expect(ramp.alpha(at: 0), 0)
        expect(ramp.alpha(at: 1), 0.4 / Double(length))
        expect(ramp.alpha(at: length / 2), 0.2)
        expect(ramp.alpha(at: length - 1), 0.4 * Double(length - 1) / Double(length))
        expect(ramp.alpha(at: length), 0.4)
        expect(ramp.alpha(at: 100_000), 0.4)
    }

    @Test("Without a ramp alpha is there from the first step")
    func noRamp() {
        expect(DistillationRamp(alpha: 0.4, epochs: 0, iterationsPerEpoch: 200).alpha(at: 0), 0.4)
    }
}
