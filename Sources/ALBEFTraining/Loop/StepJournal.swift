import ALBEF
import Torch

/// What a step changes before it can fail, so that a step without enough memory leaves no trace.
///
/// Weights and the optimizer need no entry: they move last, all of them or none. The queues lose a
/// batch of their oldest keys, which are small and kept here. The teacher is as large as the model;
/// it is not kept, but moved back.
struct StepJournal {
    private let choices: Tensor
    private let dropping: Tensor
    private let moves: Int
    /// The queues with their pointer as it was, and the keys that the step overwrites.
    private let queues: (before: ContrastiveQueues, images: Tensor, texts: Tensor, ids: Tensor)?

    /// Notes a state before a step.
    ///
    /// - Parameter pairs: how many pairs the step enqueues.
    init(_ state: TrainingState, pairs: Int) throws {
        choices = try state.choices.state()
        dropping = try state.dropping.state()
        moves = state.objective.teacher?.moves ?? 0
        queues = state.objective.queues.map { queues in
            let count = min(pairs, queues.length)
            let slots = Tensor(
                (0..<count).map { (queues.pointer + $0) % queues.length },
                device: queues.images.device)
            return (
                queues, queues.images.selected(1, slots).transposed(),
                queues.texts.selected(1, slots).transposed(), queues.ids.selected(0, slots)
            )
        }
    }

    /// Takes back what a failed step changed; the teacher up to rounding.
    func undo(_ state: inout TrainingState) throws {
        state.optimizer.clearGradients()
        try state.choices.restore(choices)
        try state.dropping.restore(dropping)
        if let teacher = state.objective.teacher {
            let momentum = state.objective.configuration.teacher.momentum
            for _ in 0..<teacher.moves - moves { teacher.moveBack(momentum: momentum) }
        }
        guard let queues else { return }
        var restored = queues.before
        restored.enqueue(images: queues.images, texts: queues.texts, ids: queues.ids)
        state.queuesBefore = ContrastiveQueues(
            images: restored.images, texts: restored.texts, ids: restored.ids,
            pointer: queues.before.pointer)
    }
}
