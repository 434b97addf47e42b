import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage
import Wardrobe

/// `albef wardrobe`: makes the data of the generated benchmark.
struct WardrobeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wardrobe",
        abstract: "Make scenes of people in clothes, for training and testing.",
        subcommands: [
            WardrobeGenerateCommand.self, WardrobeTasksCommand.self, WardrobeBoxesCommand.self,
        ])
}

/// `albef wardrobe generate`: draws scenes.
struct WardrobeGenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Draw scenes, with captions in English and Chinese.",
        discussion: """
            Writes images/, en.json and zh.json, which 'albef pretrain' reads, and scenes.jsonl, \
            which describes each scene. Equal seeds give equal scenes and captions on every machine.

              albef wardrobe generate --count 12000 --seed 1 --output wardrobe
              albef pretrain --preset albef --run run --set 'data.train=[wardrobe/en.json]' …
            """)

    @Option(help: "Scenes to draw.")
    var count: Int

    @Option(help: "Seed of the scenes.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("Where to write the scenes.", valueName: "directory"),
        completion: .directory)
    var output: String

    @Flag(help: "A first lesson: single people, all colours equally often, small things near.")
    var single = false

    @Option(
        help: ArgumentHelp(
            "Share of outfits with the rare order of colours; default: "
                + "\(OutfitFrequencies.rareShare), or half of those in two colours with --single.",
            valueName: "share"))
    var rareShare: Double?

    @Option(
        help: ArgumentHelp(
            "Consecutive scenes per shoot, of the same people in other clothes or with another "
                + "small thing.",
            valueName: "number"))
    var takes = 1

    @Flag(
        help:
            "Put a small thing in every scene; takes of a shoot differ only in its kind or colour."
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
