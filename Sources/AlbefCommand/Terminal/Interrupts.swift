import ArgumentParser
import Foundation

/// Turns Ctrl-C and SIGTERM into the cancellation of a task, so that it can finish cleanly.
///
/// A second signal ends the program at once; what is on disk is safe even then.
enum Interrupts {
    /// Runs `body`, cancelling it on the first signal.
    ///
    /// - Parameter message: what to say when that happens.
    static func cancelling<Result: Sendable>(
        _ message: String, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                guard !task.isCancelled else { _exit(128 + number) }
                Console.note("\n\(message) (again to stop at once)")
                task.cancel()
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        return try await task.value
    }

    /// The exit status of a program that was interrupted.
    static let exitCode = ExitCode(130)
}
