import ArgumentParser
import Foundation

import enum Storage.MappedFileFault
import func Torch.keepFreedMemory
import func Torch.shareProcessors
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
    ///
    /// An interrupted command exits with status 130 and prints no error.
    @MainActor
    static func main() async {
        do {
            var command = try parseAsRoot()
            // No other thread has allocated anything yet, so that all will share one heap.
            if command is any TrainingCommand { keepFreedMemory() }
            MappedFileFault.report()
            shareProcessors()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            end(with: .success)
        } catch is CancellationError {
            end(with: Interrupts.exitCode)
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if !message.isEmpty {
                code == .success ? Console.result(message) : Console.note(message)
            }
            end(with: code)
        }
    }

    /// Ends the process with what it has printed, and without the handlers of its libraries.
    ///
    /// At exit, libtorch would take every operator out of its registry again, for a third of the
    /// time that a program which only loads it takes.
    private static func end(with code: ExitCode) -> Never {
        fflush(nil)
        _exit(code.rawValue)
    }
}
