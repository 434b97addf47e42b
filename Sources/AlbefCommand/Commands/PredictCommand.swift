import ArgumentParser

/// `albef predict`: answers a task for one input.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Do a task for one image.",
        subcommands: [PredictGroundingCommand.self])
}
