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
    private let slots: ContrastiveQueues.Slots?

    /// Notes a state before a step.
    ///
    /// - Parameter pairs: how many pairs the step enqueues.
    /// - Throws: `TorchError` if there is too little memory.
    init(_ state: TrainingState, pairs: Int) throws {
        (choices, dropping, moves, slots) = try recovering {
            (
                try state.choices.state(), try state.dropping.state(),
                state.objective.teacher?.moves ?? 0,
                state.objective.queues?.slots(ofNext: pairs)
            )
        }
    }

    /// Takes back what a failed step changed; the teacher up to rounding.
    ///
    /// - Throws: `TorchError` if there is too little memory even for that.
    func undo(_ state: TrainingState) throws {
        try recovering {
            state.optimizer.clearGradients()
            try state.choices.restore(choices)
            try state.dropping.restore(dropping)
            if let teacher = state.objective.teacher {
                let momentum = state.objective.configuration.teacher.momentum
                for _ in 0..<teacher.moves - moves { teacher.moveBack(momentum: momentum) }
            }
            if let slots { state.objective.restoreQueues(slots) }
        }
    }
}
