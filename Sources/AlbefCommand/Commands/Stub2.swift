import ArgumentParser
struct ModelsListCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "list") }
struct ModelsPullCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "pull") }
