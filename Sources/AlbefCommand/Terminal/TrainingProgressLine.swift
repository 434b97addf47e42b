import ALBEF
import ALBEFTraining
import CommandSupport
import Foundation
import Synchronization
import SystemPackage

/// A line on standard error that shows the progress of a training run.
final class TrainingProgressLine: Sendable {
    private struct State {
        var steps = 0
        var epochs = 0
        var lastShown: ContinuousClock.Instant?
        var firstStep: (step: Int, at: ContinuousClock.Instant)?
    }

    private let isInteractive = Console.isInteractive
    private let state = Mutex(State())

    /// Starts the line for a run, and notes the step after which it resumes.
    func start(_ run: TrainingRun) {
        start(
            step: run.step, steps: run.totalSteps, epochs: run.configuration.training.epochs)
    }

    /// Starts the line for a run of `steps` steps, and notes the step after which it resumes.
    func start(step: Int, steps: Int, epochs: Int) {
        state.withLock { $0 = State(steps: steps, epochs: epochs) }
        if step > 0 { Console.note("resuming after step \(step) of \(steps)") }
    }

    /// Shows an event; steps that follow another within a moment are left out.
    func show(_ event: TrainingRun.Event) {
        switch event {
        case .step(let metrics): show(metrics)
        case .evaluating(let done, let total):
            guard isInteractive, done % 16 == 0 else { return }
            redraw("evaluating \(done)/\(total)")
        case .evaluation(let metrics): note("step \(metrics.step): \(RecallTable(metrics).text)")
        case .taskEvaluation(let metrics): note("step \(metrics.step): \(metrics.text)")
        case .failure(let error): note("replaced \(error)")
        case .damagedShard(let damage): note("damaged shard: \(damage)")
        case .counting(let done, let total):
            if done == 0 { Console.note("counting the samples of \(total) shards") }
            if isInteractive { redraw("counted \(done)/\(total) shards") }
            if done == total { finish() }
        }
    }

    /// Clears the line, so that later output starts on an empty one.
    func finish() {
        if isInteractive { Console.write("\r\u{1B}[2K", to: .standardError) }
    }

    private func show(_ metrics: StepMetrics) {
        let now = ContinuousClock.now
        let pause: Duration = isInteractive ? .milliseconds(200) : .seconds(30)
        let line: String? = state.withLock { state in
            let first = state.firstStep ?? (metrics.step, now)
            state.firstStep = first
            if let last = state.lastShown, metrics.step < state.steps, now - last < pause {
                return nil
            }
            state.lastShown = now
            let done = metrics.step - first.step
            return ProgressLine.text(
                metrics, totalSteps: state.steps, totalEpochs: state.epochs,
                secondsPerStep: done > 0 ? (now - first.at).seconds / Double(done) : nil)
        }
        guard let line else { return }
        if isInteractive { redraw(line) } else { Console.note(line) }
    }

    private func redraw(_ line: String) {
        Console.write("\r\u{1B}[2K" + line, to: .standardError)
    }

    private func note(_ line: String) {
        finish()
        Console.note(line)
    }
}
