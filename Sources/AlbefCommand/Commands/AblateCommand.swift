import ALBEFTraining
public import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage
import Torch
import Wardrobe
import WardrobeEvaluation

/// `albef ablate`: runs experiments that compare systems.
struct AblateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ablate",
        abstract: "Compare systems that are trained in the same way.",
        subcommands: [AblateWardrobeCommand.self])
}

/// `albef ablate wardrobe`: compares the systems of the paper on generated scenes.
struct AblateWardrobeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wardrobe",
        abstract: "Train CLIP, WenLan, a single tower and the steps to ALBEF on the same scenes.",
        discussion: """
            Draws the scenes, trains every system with every seed and tests it: 'swap', 'rare', \
            'small' and 'all', by the towers and re-ranked, in English and Chinese. Finished \
            work is kept: after Ctrl-C, the same command resumes.

              albef ablate wardrobe --output ablation
              albef ablate wardrobe --output ablation --system clip --system albef --seeds 1
              albef ablate wardrobe --output ablation --table
            """)

    @Option(
        help: ArgumentHelp("Where the experiment keeps its files.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Option(help: ArgumentHelp("Runs of each system: seeds 1 to n.", valueName: "n"))
    var seeds = 3

    @Option(
        name: .customLong("system"), parsing: .singleValue,
        help: ArgumentHelp(
            "Train only this system; may be repeated: "
                + "\(WardrobeSystem.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name"))
    var systems: [WardrobeSystem] = []

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Change one setting of the preset 'wardrobe' for all systems; may be repeated.",
            valueName: "key=value"))
    var assignments: [String] = []

    @Option(help: "Scenes in the second lesson.")
    var scenes = 12_000

    @Flag(help: "Print the results so far, and train nothing.")
    var table = false

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    var threads: Int?

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws {
        guard (1...1_000).contains(seeds) else {
            throw ValidationError("--seeds must be from 1 to 1000.")
        }
        guard (1...10_000_000).contains(scenes) else {
            throw ValidationError("--scenes must be from 1 to 10000000.")
        }
        if let threads, !(1...1_024).contains(threads) {
            throw ValidationError("--threads must be from 1 to 1024.")
        }
    }

    func run() async throws {
        if let threads { setThreadCount(threads) }
        var sizes = WardrobeAblation.Sizes()
        sizes.scenes = scenes
        sizes.assignments = assignments
        let ablation = WardrobeAblation(FilePath(output), sizes: sizes)
        if !table { try await train(ablation) }
        let outcome = try AblationTable(ablation, seeds: Array(1...seeds))
        if json {
            try Console.json(outcome.lines)
            return
        }
        for language in WardrobeLanguage.allCases {
            Console.result("\(language.title), percent\n")
            Console.result(outcome.markdown(language: language) + "\n")
        }
    }

    private func train(_ ablation: WardrobeAblation) async throws {
        let chosen = systems.isEmpty ? WardrobeSystem.allCases : systems
        let line = AblationProgress()
        try await Interrupts.cancelling("saving after this step") {
            try await ablation.prepare { line.show($0) }
            // Train all systems with one seed first: a complete table of one seed is worth more
            // than half a table of several.
            for seed in 1...seeds {
                for system in chosen {
                    let isDone = try await ablation.run(system, seed: seed) { line.show($0) }
                    line.finish()
                    if !isDone { throw Interrupts.exitCode }
                }
            }
        }
    }
}

extension WardrobeSystem: ExpressibleByArgument {}

/// The line that shows the progress of the experiment.
private final class AblationProgress: Sendable {
    private let training = TrainingProgressLine()

    func show(_ event: WardrobeAblation.Event) {
        switch event {
        case .drawing(let done, let total):
            if Console.isInteractive {
                Console.write("\r\u{1B}[2Kdrawing \(done)/\(total) scenes", to: .standardError)
            }
        case .training(let system, let seed, let lesson, let step, let steps, let epochs):
            finish()
            let what = lesson == .single ? "scenes of one person" : "scenes of one to four people"
            Console.note("\(system.rawValue), seed \(seed): \(what)")
            training.start(step: step, steps: steps, epochs: epochs)
        case .run(let event): training.show(event)
        case .testing(let done, let total):
            if Console.isInteractive {
                Console.write("\r\u{1B}[2Ktesting \(done)/\(total)", to: .standardError)
            }
        }
    }

    func finish() { training.finish() }
}
