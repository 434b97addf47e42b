import Wardrobe
import ArgumentParser
import Foundation
import ImageText
import SystemPackage

/// `albef wardrobe`: the generated benchmark.
struct WardrobeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wardrobe",
        abstract: "Make scenes of people in clothes to train and test on.",
        subcommands: [WardrobeGenerateCommand.self])
}

/// `albef wardrobe generate`: draws scenes.
struct WardrobeGenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Draw scenes, with captions in English and Chinese.",
        discussion: """
            Writes images/, en.json and zh.json, which 'albef pretrain' reads, and scenes.jsonl, \
            which says what each scene shows. Equal seeds give equal scenes and captions everywhere.

              albef wardrobe generate --count 12000 --seed 1 --output wardrobe
              albef pretrain --preset albef --run run --set 'data.train=[wardrobe/en.json]' …
            """)

    @Option(help: "Scenes to draw.")
    var count: Int

    @Option(help: "What makes these scenes differ from others.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("Where to write them.", valueName: "directory"), completion: .directory)
    var output: String

    @Flag(help: "Single people in any colours equally often, small things near: a first lesson.")
    var single = false

    @Option(
        help: ArgumentHelp(
            "Share of outfits whose colours come the rare way round; default: "
                + "\(OutfitFrequencies.rareShare), or half of those in two colours with --single.",
            valueName: "share"))
    var rareShare: Double?

    @Option(
        help: ArgumentHelp(
            "Scenes of a shoot, one after another: the same people, dressed again or with another "
                + "small thing.",
            valueName: "number"))
    var takes = 1

    @Flag(
        help:
            "Every scene has a small thing, and takes differ in nothing else: in its kind or its colour."
    )
    var varyThings = false

    @Flag(
        help:
            "Repeat captions of one outfit and of the small thing, so that they are drawn more often."
    )
    var brief = false

    @Option(help: ArgumentHelp("Side of the images.", valueName: "pixels"))
    var side = 128

    func validate() throws {
        try NumberBounds.check("--count", count, 1...10_000_000)
        try NumberBounds.check("--rare-share", rareShare, 0...0.9)
        try NumberBounds.check("--takes", takes, 1...16)
        try NumberBounds.check("--side", side, 16...4096)
        if varyThings, takes == 1 {
            throw ValidationError("--vary-things needs --takes of at least 2.")
        }
    }

    func run() async throws {
        var settings: WardrobeGenerator.Settings = single ? .single : .init()
        if let rareShare { settings.rareShare = rareShare }
        settings.takes = takes
        settings.variesThings = varyThings
        let generator = WardrobeGenerator(seed: seed, settings: settings)
        let scenes = (0..<count).map { generator.scene($0) }
        try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("drawing", unit: "scenes")
            defer { bar.finish() }
            let folder = WardrobeFolder(FilePath(output), side: side, isBrief: brief)
            try await folder.write(scenes, seed: seed) { bar.show($0, of: count) }
        }
        Console.result("wrote \(count) scenes to \(output)")
    }
}
