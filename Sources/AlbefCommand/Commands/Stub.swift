import ArgumentParser
struct ImportCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "import") }
struct ModelsCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "models") }
