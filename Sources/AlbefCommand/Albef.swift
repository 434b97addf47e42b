import ArgumentParser

import var Torch.libtorchVersion

/// The command line: one subcommand for each step of the two journeys, learn and search.
@main
struct Albef: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "albef",
        abstract: "Search photos by text: two towers recall, a fusion encoder re-ranks.",
        discussion: """
            Encode a folder of photos once, then ask for them in words:

              albef index photos --model model --index photos.index
              albef search "a dog in the snow" --model model --index photos.index
            """,
        version: version,
        subcommands: [
            DemoCommand.self, IndexCommand.self, SearchCommand.self, ServeCommand.self,
            ScoreCommand.self, ClassifyCommand.self, ExplainCommand.self,
            DataCommand.self, VocabularyCommand.self, WardrobeCommand.self, PretrainCommand.self,
            ReportCommand.self, EvaluateCommand.self, CalibrateCommand.self, AblateCommand.self,
            ImportCommand.self,
            ModelsCommand.self,
        ])

    /// The program's version, and that of the library that computes.
    private static let version = "0.1.0 (libtorch \(libtorchVersion))"

    /// Runs the command that was asked for.
    ///
    /// What was interrupted ends with the status 130 and without an error's text, whichever command
    /// it is.
    static func main() async {
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch is CancellationError {
            exit(withError: Interrupts.exitCode)
        } catch {
            exit(withError: error)
        }
    }
}
