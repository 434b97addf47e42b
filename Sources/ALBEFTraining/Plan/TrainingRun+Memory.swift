import ALBEF
import Torch

extension TrainingRun {
    /// Predicts the memory of this run's process; nil if the run has another device than the
    /// processor, or shares its steps with other processes.
    ///
    /// - Throws: `TrainingError`, which does not occur for a run that has begun.
    /// - Complexity: O(1) in the size of the data: it reads the lengths of at most 4,096 captions.
    public func predictedMemory() throws -> MemoryPlan? {
        guard ranks.group == nil, state.student.device.kind == .cpu else { return nil }
        let planned = try PlannedModel(state.student, state.plan, configuration)
        let captions = PlannedData(
            data, preprocessing, batchSize: configuration.training.batchSize,
            limit: state.student.configuration.text.maximumTokens)
        let shape = StepShape(configuration, planned, captions)
        let model = MemoryPlan(shape, planned, data: (0, 0), program: 0, isProcessor: true)
        // This process has the weights, the teacher and the queues already.
        let own = model.weights + model.teacher + model.queues
        let program = max(0, (ProcessMemory.residentBytes ?? own) - own)
        return MemoryPlan(
            shape, planned, data: captions.bytes(configuration.data, shape), program: program,
            isProcessor: true)
    }
}
