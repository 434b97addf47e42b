public import OrderedCollections
public import Torch

/// The part of a training step before the optimizer, for any task: from a batch to its losses.
///
/// A loop over a task's data needs nothing else: it draws batches, calls
/// ``losses(of:alpha:)``, and updates the ``student`` from the gradients of
/// ``TrainingLosses/total``.
public protocol TrainingObjective<Batch> {
    /// The input of a step.
    associatedtype Batch

    /// The model being trained, whose weights change in place.
    var student: ALBEFModel { get }
    /// The moving average of the student; nil without distillation.
    var teacher: MomentumTeacher? { get }

    /// Computes the losses of a batch and moves the teacher.
    ///
    /// - Parameters:
    ///   - batch: the input.
    ///   - alpha: the weight of the teacher's predictions in this step, in [0, 1].
    /// - Throws: ``ALBEFError`` if the batch does not fit the model.
    func losses(of batch: Batch, alpha: Double) throws -> TrainingLosses
}

/// The losses of a step by name, and their sum.
public struct TrainingLosses: Sendable {
    /// The sum that is minimised, a scalar with a gradient.
    public var total: Tensor
    /// The scalar parts of the sum by name, before any weighting.
    public var parts: OrderedDictionary<String, Tensor>
    /// The share of the step's decisions that are right; nil if it makes none.
    public var accuracy: Double?

    /// Creates losses from their parts.
    public init(
        total: Tensor, parts: OrderedDictionary<String, Tensor>, accuracy: Double? = nil
    ) {
        self.total = total
        self.parts = parts
        self.accuracy = accuracy
    }
}

extension PretrainingObjective: TrainingObjective {
    /// Computes the losses of a batch, moves the teacher and enqueues its keys, as
    /// ``callAsFunction(_:alpha:negatives:hardness:)`` does with its default arguments.
    ///
    /// - Returns: the losses `itc`, `itm` and `mlm`, as far as they are turned on, and the accuracy
    ///   of ITM.
    public func losses(of batch: PretrainingBatch, alpha: Double) throws -> TrainingLosses {
        try self(batch, alpha: alpha).byName
    }
}

extension PretrainingLosses {
    /// The losses `itc`, `itm` and `mlm`, as far as they are turned on, and the accuracy of ITM.
    package var byName: TrainingLosses {
        var parts: OrderedDictionary<String, Tensor> = [:]
        parts["itc"] = contrastive?.loss
        parts["itm"] = matching?.loss
        parts["mlm"] = maskedLanguage?.loss
        return TrainingLosses(total: total, parts: parts, accuracy: matching?.accuracy)
    }
}
