import ALBEF
import Torch

/// The state that a step changes before it can fail, so that a step without enough memory can be
/// undone.
///
/// The weights and the optimizer need no entry: they change last, all of them or none. The step
/// overwrites the oldest keys of the queues, which are small and are copied here. The momentum
/// teacher is as large as the model, so it is not copied: its update is reversed instead.
struct StepJournal {
    private let choices: Tensor
    private let dropping: Tensor
    private let moves: Int
    private let slots: ContrastiveQueues.Slots?

    /// Records a state before a step.
    ///
    /// - Parameters:
    ///   - state: The state before the step.
    ///   - pairs: The number of pairs that the step enqueues.
    /// - Throws: `TorchError` if there is not enough memory.
    init(_ state: TrainingState, pairs: Int) throws {
        (choices, dropping, moves, slots) = try recovering {
            (
                try state.choices.state(), try state.dropping.state(),
                state.teacher?.moves ?? 0,
                state.pretraining?.queues?.slots(ofNext: pairs)
            )
        }
    }

    /// Undoes what a failed step changed; the momentum teacher is restored up to rounding.
    ///
    /// - Throws: `TorchError` if there is not even enough memory for that.
    func undo(_ state: TrainingState) throws {
        try recovering {
            state.optimizer.clearGradients()
            try state.choices.restore(choices)
            try state.dropping.restore(dropping)
            if let teacher = state.teacher {
                let momentum = state.objectives.teacher.momentum
                for _ in 0..<teacher.moves - moves { teacher.moveBack(momentum: momentum) }
            }
            if let slots { state.pretraining?.restoreQueues(slots) }
        }
    }
}
