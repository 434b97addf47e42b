import ArgumentParser
import CommandSupport
import SystemPackage
import Wardrobe

/// `albef wardrobe tasks`: makes the data of four tasks from drawn scenes.
struct WardrobeTasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks",
        abstract: "Draw scenes with questions, hypotheses, statements and references.",
        discussion: """
            Writes images/ and, for training and test, questions with answers, sentences of visual \
            entailment, statements about two images and expressions that refer to people and \
            things; also answers.json, and proposals.json with boxes. The tests are of other \
            scenes than training, a tenth of all. Every sentence is used for a scene of which it \
            is true and for one of which it is false. Equal seeds give equal data on every machine.

              albef wardrobe tasks --count 12000 --seed 1 --output tasks
            """)

    @Option(help: "Scenes to draw; rounded up to a multiple of 4.")
    var count: Int

    @Option(help: "Seed of the scenes.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("Where to write the data.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Option(help: ArgumentHelp("Side of the images.", valueName: "pixels"))
    var side = 128

    func validate() throws {
        try NumberBounds.check("--count", count, 8...10_000_000)
        try NumberBounds.check("--side", side, 16...4096)
    }

    func run() async throws {
        let tasks = try await Interrupts.cancelling("stopping") {
            let tasks = try await made()
            var bar = ProgressBar("drawing", unit: "scenes")
            defer { bar.finish() }
            try await WardrobeTasksFolder(FilePath(output), side: side)
                .write(tasks, seed: seed) { bar.show($0, of: tasks.sceneCount) }
            return tasks
        }
        Console.result("wrote \(tasks.sceneCount) scenes to \(output)")
        for (part, name) in [(tasks.training, "training"), (tasks.test, "test")] {
            Console.result(
                "\(name): \(part.questions.count) questions, \(part.hypotheses.count) hypotheses,"
                    + " \(part.pairs.count) statements about two images,"
                    + " \(part.references.count) references")
        }
    }

    private func made() async throws -> WardrobeTasks {
        var bar = ProgressBar("making", unit: "scenes")
        defer { bar.finish() }
        return try await WardrobeTasks(seed: seed, scenes: count) { bar.show($0, of: count) }
    }
}
