package import ArgumentParser
import Foundation
import Storage

import func Torch.shareProcessors

/// What every program does around its commands.
package enum CommandProgram {
    /// Runs the command that the arguments name, and ends the process.
    ///
    /// An interrupted command exits with status 130 and prints no error.
    ///
    /// - Parameters:
    ///   - root: the command with all others as its subcommands, or the only one.
    ///   - prepare: called with the command, before any other thread exists.
    @MainActor
    package static func run(
        _ root: (some ParsableCommand).Type, prepare: (any ParsableCommand) -> Void = { _ in }
    ) async -> Never {
        do {
            var command = try root.parseAsRoot()
            prepare(command)
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
            let code = root.exitCode(for: error)
            let message = root.fullMessage(for: error)
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
