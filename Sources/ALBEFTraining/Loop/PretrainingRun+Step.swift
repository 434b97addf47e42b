import ALBEF
import ImageText
import SystemPackage
import Torch

extension PretrainingRun {
    /// Takes one step and returns its measurements.
    ///
    /// - Throws: ``TrainingError`` if a loss or a gradient is not finite; the weights and the
    ///   optimizer are then unchanged. `TorchError` if there is not enough memory; the state is
    ///   then restored.
    ///
    /// - Parameter parts: this process's part of each of the step's batches.
    func take(_ parts: [TrainingBatch]) throws -> StepMeter.Step {
        ranks.note(step: step + 1)
        try state.drawDropout(ofStep: step, rank: ranks.rank)
        let pairs = parts.reduce(0) { $0 + $1.captions.count } * ranks.count
        let journal = try StepJournal(state, pairs: pairs)
        let failure = plannedFailure.flatMap { $0.step == step + 1 ? $0.atOperator : nil }
        do {
            return try recovering(failingAtOperator: failure) { try attempt(parts) }
        } catch let error as TorchError where error.isOutOfMemory {
            try journal.undo(state)
            throw error
        }
    }

    /// Sets the rate, adds up the gradients of all batches, then clips them and updates the
    /// weights.
    private func attempt(_ parts: [TrainingBatch]) throws -> StepMeter.Step {
        let batches = try parts.map(ranks.completed)
        let optimizer = state.optimizer
        optimizer.learningRate = schedule.rate(at: step)
        optimizer.clearGradients()
        let averager = try gradientAverager()
        var measured = StepMeter.Step(learningRate: optimizer.learningRate)
        for (index, batch) in batches.enumerated() {
            let alpha = ramp.alpha(at: step * batches.count + index)
            let losses = try losses(of: batch, parts[index], alpha: alpha)
            measured.add(losses, alpha: alpha, pairs: batch.captions.count, of: batches.count)
            if try ranks.isAny(!measured.loss.isFinite) {
                measured = try measured.averaged(over: ranks)
                throw TrainingError.notFinite(
                    step: step + 1, loss: measured.loss,
                    report: try write(NonFiniteReport(step: step + 1, measured, batches)))
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

    private func losses(
        of batch: TrainingBatch, _ part: TrainingBatch, alpha: Double
    ) throws -> PretrainingLosses {
        let matching = configuration.objectives.matching
        let epoch = Double(step) / Double(schedule.stepsPerEpoch) - matching.easyEpochs
        let hardness = matching.rampEpochs > 0 ? min(1, epoch / matching.rampEpochs) : 1
        // Feature maps are computed in full precision, whatever precision the step uses, so compute
        // them outside autocast.
        let inputs = try inputs(batch, part)
        return try withAutocast(
            configuration.training.precision.autocast, on: state.student.device
        ) {
            try state.objective(
                inputs, alpha: alpha, negatives: epoch < 0 ? .shifted : nil,
                hardness: hardness)
        }
    }

    /// Updates the weights with finite gradients, clipped if the settings require it.
    private func move(_ batches: [TrainingBatch], _ measured: inout StepMeter.Step) throws {
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
                report: try write(
                    NonFiniteReport(step: step + 1, measured, gradients: names, batches)))
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

    /// Writes a report once, and returns its path.
    private func write(_ report: NonFiniteReport) throws -> String {
        if ranks.isFirst { try report.write(to: directory.path) }
        return report.path(in: directory.path).string
    }

    /// Converts a batch to the input of the objectives: the texts of the whole batch, and the images
    /// of this process's part.
    private func inputs(
        _ batch: TrainingBatch, _ part: TrainingBatch
    ) throws -> PretrainingBatch {
        let device = state.student.device
        let side = state.student.configuration.vision.imageSize
        let tokens = preprocessing.text.batch(batch.captions)
        let shape = [tokens.count, tokens.length]
        let pixels = Tensor(
            part.pixels, shape: [part.pixelRows.count, 3, side, side], device: device)
        let knowsTruths = configuration.objectives.contrastive.positives == .caption
        return PretrainingBatch(
            images: try maps.map {
                try $0.input(part, pixels, of: state.student.visualEncoder)
            } ?? .pixels(pixels),
            ids: Tensor(tokens.ids, shape: shape, device: device),
            mask: Tensor(tokens.mask, shape: shape, device: device),
            imageIDs: Tensor(batch.ids, device: device),
            truths: knowsTruths
                ? Tensor(
                    batch.truths.map { $0 ? 1 : 0 }, shape: [tokens.count, tokens.count],
                    device: device
                ).isEqual(to: 1) : nil)
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

extension PretrainingConfiguration.Training.Precision {
    /// The type that autocast uses for products and convolutions; nil for no autocast.
    fileprivate var autocast: DType? {
        switch self {
        case .float32: nil
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }
}
