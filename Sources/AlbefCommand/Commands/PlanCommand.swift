import ALBEFTraining
import ArgumentParser
import CommandSupport
import Foundation
import SystemPackage
import Torch

/// `albef plan`: predicts what a training run needs.
struct PlanCommand: TrainingCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Predict the memory, the time and the disk space of a training run.",
        discussion: """
            Takes the settings as 'albef pretrain' does, and trains nothing. The status is 1 if the \
            run does not fit into the memory of the device; the settings that would make it fit are \
            then listed.

              albef plan --config settings.yaml
              albef plan --config settings.yaml --set training.batch_size=32 --check
              albef plan --config settings.yaml --device cuda --memory 24 --tflops 60
            """)

    @OptionGroup var options: SettingsOptions

    @Option(
        help: ArgumentHelp(
            "Device to plan for: cpu, cuda, cuda:N, mps or auto; default: that of the settings.",
            valueName: "name"))
    var device: String?

    @Option(
        help: ArgumentHelp(
            "Memory of the device in GB (10^9 bytes); default: what this machine has.",
            valueName: "gb"))
    var memory: Double?

    @Option(
        help: ArgumentHelp(
            "Speed that a GPU reaches in matrix products, in 10^12 operations per second; without "
                + "it no time is predicted for a GPU.",
            valueName: "n"))
    var tflops: Double?

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    var threads: Int?

    @Flag(
        help: "Take real steps in a process of its own, and show them beside the prediction.")
    var check = false

    @Flag(help: "Print the results as JSON.")
    var json = false

    @Option(help: .hidden)
    var trial: String?

    func validate() throws {
        try NumberBounds.check("--threads", threads, 1...1_024)
        try NumberBounds.check("--memory", memory, 0.001...1e6)
        try NumberBounds.check("--tflops", tflops, 0.001...1e6)
    }

    func run() async throws {
        if let threads { setThreadCount(threads) }
        let settings = try options.chosen(device.map { ["training.device=\($0)"] } ?? [])
        if let trial {
            try await Self.measure(settings, in: FilePath(trial))
            return
        }
        var planning = TrainingPlan.Options()
        planning.limit = memory.map { MemoryLimit(bytes: Int($0 * 1e9)) }
        planning.teraflops = tflops
        let progress = TrainingProgressLine()
        let plan = try TrainingPlan(settings, options: planning, opener: .standard) {
            progress.show($0)
        }
        progress.finish()
        if check, plan.target != .processor, !Device.preferred.isAccelerator {
            throw ValidationError("--check needs the device that is planned for; use --device cpu.")
        }
        let measured = check ? try await TrialProcess.run() : nil
        if json {
            try Console.json(PlanOutput(plan, measured))
        } else {
            for line in PlanText(plan, measured).lines { Console.result(line) }
        }
        if !plan.fits { throw ExitCode(1) }
    }

    /// Takes the steps of a trial and prints what they took.
    private static func measure(
        _ settings: TrainingConfiguration, in directory: FilePath
    ) async throws {
        try Console.json(
            try await TrainingRun.trial(in: directory, settings, opener: .standard))
    }
}

extension Device {
    /// Whether the device is not the processor.
    fileprivate var isAccelerator: Bool { kind != .cpu }
}

/// A process that takes the first steps of a run.
enum TrialProcess {
    /// Starts this program again with the same arguments, and returns what its steps took.
    ///
    /// - Throws: `TrialError` with the other program's error.
    static func run() async throws -> TrainingRun.Trial {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "albef-plan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL =
            Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        process.arguments =
            Array(CommandLine.arguments.dropFirst())
            + ["--trial", folder.appending(path: "run").path]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        async let answer = Self.contents(of: output.fileHandleForReading)
        async let remark = Self.contents(of: errors.fileHandleForReading)
        let (data, remarks) = (await answer, String(decoding: await remark, as: UTF8.self))
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let reason =
                process.terminationReason == .uncaughtSignal
                ? "signal \(process.terminationStatus)" : "status \(process.terminationStatus)"
            throw TrialError(
                description: "the steps of --check ended with \(reason)"
                    + (remarks.isEmpty ? "" : ": \(remarks.trimmingCharacters(in: .newlines))"))
        }
        return try JSONDecoder().decode(TrainingRun.Trial.self, from: data)
    }

    /// Reads a pipe to its end, so that it never fills up.
    private static func contents(of handle: FileHandle) async -> Data {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: handle.readDataToEndOfFile())
            }
        }
    }
}

/// The steps of `--check` failed.
struct TrialError: Error, CustomStringConvertible {
    let description: String
}
