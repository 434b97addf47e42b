public import ALBEF
public import ArgumentParser

/// `albef models`: lists, fetches and makes models.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract:
            "List the models that can be used by name; show, fetch, make, pack or remove one.",
        subcommands: [
            ModelsListCommand.self, ModelsShowCommand.self, ModelsPullCommand.self,
            ModelsCreateCommand.self, ModelsPackCommand.self, ModelsRemoveCommand.self,
        ])
}

/// The dialects that an option can choose; the others come with imported weights.
extension Dialect: ExpressibleByArgument {
    /// Parses the name of a dialect that can be chosen.
    public init?(argument: String) {
        self.init(rawValue: argument)
        guard Self.original.contains(self) else { return nil }
    }

    /// The names of the dialects that can be chosen.
    public static var allValueStrings: [String] { original.map(\.rawValue) }
}
