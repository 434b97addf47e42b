// Times pretraining steps of a tiny ALBEF on random data, for training_step.py.
//
//     training-step [--steps 8] [--warmup 2]
//
// Prints one JSON object: seconds_per_step (the median), peak_resident_mb, losses.

import ALBEF
import ALBEFTraining
import Foundation
import Torch

func option(_ name: String, default value: Int) -> Int {
    guard let index = CommandLine.arguments.firstIndex(of: name),
        index + 1 < CommandLine.arguments.count
    else { return value }
    return Int(CommandLine.arguments[index + 1]) ?? value
}

let (steps, warmup) = (option("--steps", default: 8), option("--warmup", default: 2))
let (batch, tokens, vocabulary, queue) = (64, 16, 2000, 4096)
if let text = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"], let count = Int(text) {
    setThreadCount(count)
}

keepFreedMemory()
let generator = try Generator(seed: 0)
let configuration = ALBEFConfiguration(
    dialect: .lavis,
    vision: .init(imageSize: 64, patchSize: 8, width: 192, depth: 6, heads: 3, mlpWidth: 768),
    text: .init(
        vocabularySize: vocabulary, width: 192, depth: 6, fusionLayer: 3, heads: 3, mlpWidth: 768,
        positions: 64))
let student = try ALBEFModel(configuration, parameters: RandomParameters(generator: generator))
let settings = ObjectiveConfiguration(contrastive: .init(queue: queue))
let objective = try PretrainingObjective(
    student: student, teacher: MomentumTeacher(copying: student),
    queues: ContrastiveQueues(width: 256, length: queue, generator: generator, device: .cpu),
    configuration: settings,
    masking: TokenMasking(vocabularySize: vocabulary, mask: 4, kept: [0, 2]),
    choices: GeneratedChoices(generator: generator),
    dropout: Dropout(settings.dropout, generator: generator))
let optimizer = AdamW(WeightDecay.lavis.groups(of: student, decay: 0.02), learningRate: 1e-4)

var ids = (0..<batch * tokens).map { 5 + ($0 * 7919) % (vocabulary - 5) }
for row in 0..<batch {
    ids[row * tokens] = 2
    ids[row * tokens + tokens - 1] = 3
}
let inputs = PretrainingBatch(
    pixels: .normal([batch, 3, 64, 64], generator: generator),
    ids: Tensor(ids, shape: [batch, tokens]),
    mask: .ones([batch, tokens], dtype: .int64))

var seconds: [Double] = []
var losses: [Double] = []
for step in 0..<warmup + steps {
    let clock = ContinuousClock()
    let time = try clock.measure {
        optimizer.clearGradients()
        // LAVIS's ramp: two epochs of 100 steps.
        let found = try objective(inputs, alpha: 0.4 * min(1, Double(step) / 200))
        try found.total.backward()
        try optimizer.step()
        losses.append(found.total.scalar())
    }
    if step >= warmup {
        seconds.append(
            Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
    }
}
let median = seconds.sorted()[seconds.count / 2]
let result: [String: Any] = [
    "seconds_per_step": median,
    "peak_resident_mb": Double(ProcessMemory.peakBytes ?? 0) / 1e6, "losses": losses,
]
print(
    String(
        decoding: try JSONSerialization.data(withJSONObject: result, options: .sortedKeys),
        as: UTF8.self))
