public import ArgumentParser
import CommandSupport
import SystemPackage
public import Wardrobe

/// `albef wardrobe boxes`: makes statements about two images of boxes with shapes.
struct WardrobeBoxesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boxes",
        abstract: "Draw boxes with shapes, and statements about two images.",
        discussion: """
            Writes images/, nlvr-train.json and nlvr-test.json in the form of NLVR2. Statements \
            count, relate places, and bind colours to shapes. Half are true; each is true of one \
            pair of images and false of another with the same shapes and colours. The test is of \
            other images than training, a tenth of all. captions-train.json and words.txt are for \
            'albef pretrain' and 'albef vocabulary train'. Equal seeds give equal data on every \
            machine.

              albef wardrobe boxes --count 40000 --seed 1 --output boxes
            """)

    @Option(help: "Statements with two images each; rounded up to a multiple of 4.")
    var count: Int

    @Option(
        name: .customLong("kind"), parsing: .singleValue,
        help: ArgumentHelp(
            "Kind of statements; may be repeated. Default: all, by turns.", valueName: "kind"))
    var kinds: [BoxesTask.Kind] = []

    @Option(help: "Seed of the images.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("Where to write the data.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Option(help: ArgumentHelp("Side of the images.", valueName: "pixels"))
    var side = 64

    func validate() throws {
        try NumberBounds.check("--count", count, 8...10_000_000)
        try NumberBounds.check("--side", side, 16...4096)
    }

    func run() async throws {
        let task = try await Interrupts.cancelling("stopping") {
            let task = try made()
            var bar = ProgressBar("drawing", unit: "images")
            defer { bar.finish() }
            try await BoxesFolder(FilePath(output), side: side)
                .write(task) { bar.show($0, of: task.sceneCount) }
            return task
        }
        Console.result(
            "wrote \(task.sceneCount) images to \(output): \(task.training.pairs.count) statements"
                + " of training, \(task.test.pairs.count) of the test")
    }

    private func made() throws -> BoxesTask {
        var bar = ProgressBar("making", unit: "statements")
        defer { bar.finish() }
        return try BoxesTask(
            seed: seed, items: count, kinds: kinds.isEmpty ? BoxesTask.Kind.allCases : kinds
        ) { bar.show($0, of: count) }
    }
}

extension BoxesTask.Kind: ExpressibleByArgument {}
