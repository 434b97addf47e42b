import ALBEF
import ImageText
import SystemPackage
import Torch

extension TrainingRun {
    /// Takes one step and returns its measurements.
    ///
    /// - Throws: ``TrainingError`` if a loss or a gradient is not finite; the weights and the
    ///   optimizer are then unchanged. `TorchError` if there is not enough memory; the state is
    ///   then restored.
    ///
    /// - Parameter parts: this process's part of each of the step's batches.
    func take(_ parts: [RunBatch]) throws -> StepMeter.Step {
        ranks.note(step: step + 1)
        try state.drawDropout(ofStep: step, rank: ranks.rank)
        let pairs = parts.reduce(0) { $0 + $1.count } * ranks.count
        let journal = try StepJournal(state, pairs: pairs)
        let failure = plannedFailure.flatMap { $0.step == step + 1 ? $0 : nil }
        do {
            return try recovering(
                failingAtOperator: failure?.atOperator, by: failure?.failure ?? .outOfMemory
            ) { try attempt(parts) }
        } catch let error as TorchError where error.isOutOfMemory {
            try journal.undo(state)
            throw error
        }
    }

    /// Sets the rate, adds up the gradients of all batches, then clips them and updates the
    /// weights.
    private func attempt(_ parts: [RunBatch]) throws -> StepMeter.Step {
        let batches = try parts.map(ranks.completed)
        let optimizer = state.optimizer
        optimizer.learningRate = schedule.rate(at: step)
        optimizer.clearGradients()
        let averager = try gradientAverager()
        var measured = StepMeter.Step(learningRate: optimizer.learningRate)
        for (index, batch) in batches.enumerated() {
            let alpha = ramp.alpha(at: step * batches.count + index)
            let losses = try task.losses(
                of: batch, part: parts[index], alpha: alpha,
                epoch: Double(step) / Double(schedule.stepsPerEpoch))
            let rows = batch.pairs == nil ? batch.count * ranks.count : batch.count
            measured.add(losses, alpha: alpha, pairs: rows, of: batches.count)
            if try ranks.isAny(!measured.loss.isFinite) {
                measured = try measured.averaged(over: ranks)
                throw TrainingError.notFinite(
                    step: step + 1, loss: measured.loss,
                    report: try write(measured, of: batches))
            }
            // Gradients are exchanged once per step, beside the last backward pass.
            if index == batches.count - 1 { averager?.arm() }
            try scaler.scaled(losses.total / Double(batches.count)).backward()
        }
        try averager?.finish()
        measured = try measured.averaged(over: ranks)
        try move(batches, &measured)
        measured.temperature = state.student.temperature?.value.scalar()
        return measured
    }

    /// Updates the weights with finite gradients, clipped if the settings require it.
    private func move(_ batches: [RunBatch], _ measured: inout StepMeter.Step) throws {
        let gradients = state.optimizer.gradients
        let scaledNorm = gradients.totalNorm()?.scalar() ?? 0
        let scale = scaler.scale
        let norm = scaledNorm / scale
        measured.gradientNorm = norm
        switch scaler.update(gradientsAreFinite: AdamW.canSquare(scaledNorm)) {
        case .skip: break
        case .stop:
            let names = state.optimizer.parametersWithoutFiniteGradients
            throw TrainingError.notFinite(
                step: step + 1, gradientsOf: names,
                report: try write(measured, gradients: names, of: batches))
        case .take:
            let clipNorm = configuration.optimizer.clipNorm
            let shortening = clipNorm > 0 && norm > clipNorm ? clipNorm / (norm + 1e-6) : 1
            let factor = shortening / scale
            if factor != 1 {
                gradients.scaleInPlace(.full([], factor, device: state.student.device))
            }
            try state.optimizer.step()
            try state.shards?.shareValues()
        }
    }

    /// Reports the batches of a step once, and returns the path of the report.
    private func write(
        _ measured: StepMeter.Step, gradients: [String]? = nil, of batches: [RunBatch]
    ) throws -> String {
        let report = NonFiniteReport(
            step: step + 1, measured, gradients: gradients, pairs: batches.flatMap(task.examples))
        if ranks.isFirst { try report.write(to: directory.path) }
        return report.path(in: directory.path).string
    }
}

extension AdamW {
    /// Returns whether gradients of this length can be used.
    ///
    /// The optimizer averages their squares in single precision, where an infinite square would
    /// never leave the average.
    fileprivate static func canSquare(_ norm: Double) -> Bool { Float(norm * norm).isFinite }

    /// The sorted names of the parameters whose gradients cannot be used.
    ///
    /// If only the gradients' common norm is too large, it is the name of the parameter with the
    /// longest gradient.
    fileprivate var parametersWithoutFiniteGradients: [String] {
        let norms = groups.flatMap(\.parameters).compactMap { parameter in
            parameter.value.grad.flatMap { [$0].totalNorm() }
                .map { (name: parameter.name, norm: $0.scalar()) }
        }
        let broken = norms.filter { !Self.canSquare($0.norm) }.map(\.name).sorted()
        return broken.isEmpty ? norms.max { $0.norm < $1.norm }.map { [$0.name] } ?? [] : broken
    }
}
