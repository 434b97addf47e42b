import ArgumentParser
import CommandSupport
import Demo

import func Torch.keepFreedMemory
import var Torch.libtorchVersion

/// The command line, with one subcommand for each step of training and of searching.
@main
struct Albef: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "albef",
        abstract: "Search images by text: two towers recall, a fusion encoder re-ranks.",
        discussion: """
            Encode a folder of images once, then search it with words:

              albef index photos --model model --index photos.index
              albef search "a dog in the snow" --model model --index photos.index
            """,
        version: version,
        subcommands: [
            DemoCommand.self, IndexCommand.self, SearchCommand.self, ServeCommand.self,
            ScoreCommand.self, ClassifyCommand.self, ExplainCommand.self, PredictCommand.self,
            DataCommand.self, VocabularyCommand.self, WardrobeCommand.self, PlanCommand.self,
            PretrainCommand.self, FinetuneCommand.self, ReportCommand.self, EvaluateCommand.self,
            CalibrateCommand.self, AblateCommand.self, FeaturesCommand.self, ProbeCommand.self,
            ImportCommand.self, ModelsCommand.self,
        ])

    /// The version of the program, with that of libtorch.
    private static let version = "0.1.0 (libtorch \(libtorchVersion))"

    /// Runs the command that the arguments name.
    @MainActor
    static func main() async {
        await CommandProgram.run(Albef.self) { command in
            // No other thread has allocated anything yet, so that all will share one heap.
            if command is any TrainingCommand { keepFreedMemory() }
        }
    }
}
