public import ALBEF
public import ArgumentParser

/// `albef models`: what can be had, fetched and made.
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

/// The dialects that can be chosen; the others come with the weights that are imported.
extension Dialect: ExpressibleByArgument {
    /// The dialect of this name, if it can be chosen.
    public init?(argument: String) {
        self.init(rawValue: argument)
        guard Self.original.contains(self) else { return nil }
    }

    /// Their names, for help.
    public static var allValueStrings: [String] { original.map(\.rawValue) }
}
