import ALBEFTraining
import Foundation
import Storage

/// The text of `albef plan`.
struct PlanText {
    /// The lines of the text.
    let lines: [String]

    init(_ plan: TrainingPlan, _ measured: TrainingRun.Trial?) {
        var lines = plan.parts.text.split(separator: "\n").map(String.init)
        if plan.teacherParameters > 0 {
            lines.append("\(NumberText.count(plan.teacherParameters)) more are the teacher's")
        }
        lines += ["", "memory"] + Columns.aligned(Self.memory(plan))
        if let limit = plan.limit {
            let share = 100 * Double(plan.memory.peak) / Double(limit.bytes)
            lines.append(
                plan.fits
                    ? "fits: \(String(format: "%.0f", share)) % of \(limit.words)"
                    : "does not fit: \(String(format: "%.0f", share)) % of \(limit.words)")
        } else {
            lines.append("the memory of the device is unknown; give it with --memory")
        }
        for alternative in plan.alternatives {
            let settings = alternative.settings.map { "--set \($0)" }.joined(separator: " ")
            lines.append(
                "  \(settings): \(Self.bytes(alternative.peak))"
                    + (alternative.fits ? ", fits" : ", does not fit"))
        }
        lines += ["", "time"] + Self.time(plan)
        lines += ["", "disk"] + Columns.aligned(Self.disk(plan))
        if let measured {
            lines += ["", "check: steps of this run"]
            lines += Columns.aligned(Self.check(plan, measured))
        }
        self.lines = lines
    }

    private static func bytes(_ count: Int) -> String { NumberText.bytes(Double(count)) }

    private static func memory(_ plan: TrainingPlan) -> [[String]] {
        let memory = plan.memory
        let isCheckpointed = plan.configuration.training.gradientCheckpointing
        let activations =
            isCheckpointed
            ? "without checkpointing \(bytes(memory.plainActivations))"
            : "with checkpointing \(bytes(memory.checkpointedActivations))"
        var rows = [
            ["weights", bytes(memory.weights)],
            ["gradients and activations", bytes(memory.step)],
            ["  gradients", bytes(memory.gradients)],
            ["  activations (\(activations))", bytes(memory.activations)],
            ["optimizer", bytes(memory.optimizer)],
            ["teacher", bytes(memory.teacher)],
            ["queues", bytes(memory.queues)],
            ["batches ahead", bytes(memory.data)],
            ["cache of images", bytes(memory.cache)],
            ["gaps between blocks", bytes(memory.gaps)],
            ["program and libraries", bytes(memory.program)],
        ]
        rows.removeAll { $0[1] == bytes(0) }
        return rows + [["peak", bytes(memory.peak)]]
    }

    private static func time(_ plan: TrainingPlan) -> [String] {
        let steps = "\(NumberText.count(plan.steps)) steps"
        guard let time = plan.time, let whole = plan.runSeconds else {
            return [
                "  \(steps); their time is unknown: give the speed of the GPU with --tflops"
            ]
        }
        func share(_ part: Double) -> String {
            String(format: "%.0f %%", 100 * part / max(time.computing, 1e-12))
        }
        var rows = [
            ["a step of \(plan.pairsPerStep) pairs", seconds(time.total), ""],
            ["  matrix products", seconds(time.products), share(time.products)],
            ["  attention", seconds(time.attention), share(time.attention)],
            ["  other operators", seconds(time.elements), share(time.elements)],
            ["  optimizer and teacher", seconds(time.updates), share(time.updates)],
        ]
        if let data = time.data {
            rows.append(["images, beside the step", seconds(data), ""])
        }
        rows.append(["\(steps), without evaluations", NumberText.time(whole), ""])
        let limit =
            time.data == nil
            ? "the images were not measured"
            : time.waitsForData
                ? "the images slow the steps down" : "the images are ready before each step"
        return Columns.aligned(rows) + ["  \(limit)"]
    }

    private static func seconds(_ value: Double) -> String {
        value < 0.1 ? String(format: "%.1f ms", value * 1e3) : String(format: "%.2f s", value)
    }

    private static func disk(_ plan: TrainingPlan) -> [[String]] {
        let disk = plan.disk
        var rows = [
            [
                "\(disk.checkpoints) checkpoints of \(bytes(disk.checkpoint))",
                bytes(disk.checkpoint * disk.checkpoints),
            ],
            ["logs", bytes(disk.logs)],
        ]
        if disk.trunkMaps > 0 { rows.append(["feature maps", bytes(disk.trunkMaps)]) }
        return rows + [["together", bytes(disk.peak)]]
    }

    private static func check(
        _ plan: TrainingPlan, _ measured: TrainingRun.Trial
    ) -> [[String]] {
        func row(_ name: String, _ predicted: Double, _ found: Double, _ text: (Double) -> String)
            -> [String]
        {
            [
                name, text(predicted), text(found),
                String(format: "%+.0f %%", 100 * (predicted / max(found, 1e-12) - 1)),
            ]
        }
        var rows = [["", "predicted", "measured", "off by"]]
        if let peak = measured.peakBytes {
            // The steps of a check do not fill the cache of images.
            let name = plan.memory.cache > 0 ? "peak before the cache fills" : "peak"
            rows.append(
                row(name, Double(plan.memory.firstSteps), Double(peak)) { NumberText.bytes($0) })
        }
        if let time = plan.time {
            rows.append(row("a step", time.total, measured.seconds, seconds))
            if let processor = time.processor {
                rows.append(
                    row("processor time", processor, measured.processorSeconds, seconds))
            }
        }
        return rows
    }
}

extension MemoryLimit {
    /// The limit in words.
    var words: String {
        let amount = NumberText.bytes(Double(bytes))
        return switch source {
        case .machine: "the \(amount) of this machine"
        case .controlGroup: "the \(amount) of this process's control group"
        case .gpu: "the \(amount) of the GPU"
        case .given: "\(amount)"
        }
    }
}

extension TrainingPlan {
    /// The pairs of a step.
    var pairsPerStep: Int {
        configuration.training.batchSize * configuration.training.accumulation
    }
}

/// The JSON of `albef plan --json`.
struct PlanOutput: Encodable {
    private struct Parameters: Encodable {
        let trained, frozen, unused, teacher: Int
        let parts: [TrainedParts.Row]
    }

    private let device: String
    private let parameters: Parameters
    private let memory: MemoryPlan
    private let peak: Int
    private let limit: MemoryLimit?
    private let fits: Bool
    private let alternatives: [TrainingPlan.Alternative]
    private let steps, pairsPerStep, textLength: Int
    private let time: StepTime?
    private let runSeconds: Double?
    private let disk: DiskPlan
    private let diskBytes: Int
    private let measured: TrainingRun.Trial?

    enum CodingKeys: String, CodingKey {
        case device, parameters, memory, peak, limit, fits, alternatives, steps
        case pairsPerStep = "pairs_per_step"
        case textLength = "text_length"
        case time
        case runSeconds = "run_seconds"
        case disk
        case diskBytes = "disk_bytes"
        case measured
    }

    init(_ plan: TrainingPlan, _ measured: TrainingRun.Trial?) {
        switch plan.target {
        case .processor: device = "cpu"
        case .gpu(let index): device = "cuda:\(index)"
        }
        parameters = Parameters(
            trained: plan.parts.count(.trained), frozen: plan.parts.count(.frozen),
            unused: plan.parts.count(.unused), teacher: plan.teacherParameters,
            parts: plan.parts.rows)
        memory = plan.memory
        peak = plan.memory.peak
        limit = plan.limit
        fits = plan.fits
        alternatives = plan.alternatives
        (steps, pairsPerStep, textLength) = (plan.steps, plan.pairsPerStep, plan.textLength)
        time = plan.time
        runSeconds = plan.runSeconds
        disk = plan.disk
        diskBytes = plan.disk.peak
        self.measured = measured
    }
}
