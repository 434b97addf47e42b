package import ArgumentParser
import Foundation
import Synchronization

/// Cancels a task on Ctrl-C or SIGTERM, so that it can finish cleanly.
///
/// Outside of ``cancelling(_:_:)``, either signal ends the program at once, as does a second signal
/// inside of it. Files on disk stay valid even then. `Albef.main` turns the resulting
/// `CancellationError` into ``exitCode``, so that commands need not.
package enum Interrupts {
    /// Runs `body`, cancelling it on the first signal.
    ///
    /// - Parameter message: the remark to print on the first signal.
    /// - Throws: The errors of `body`, usually `CancellationError` after a signal.
    package static func cancelling<Result: Sendable>(
        _ message: String, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let work = Work<Result>()
        // Set the action before the work starts, so that no signal is lost in between.
        let outer = SignalWatch.shared.replaceAction { number in
            guard work.cancel() else { SignalWatch.end(by: number) }
            Console.note("\n\(message) (again to stop at once)")
        }
        defer { SignalWatch.shared.replaceAction(outer) }
        return try await work.start(body).value
    }

    /// The exit status of an interrupted program.
    package static let exitCode = ExitCode(130)
}

/// A task that can be cancelled before it starts.
private final class Work<Result: Sendable>: Sendable {
    private let state = Mutex<(task: Task<Result, any Error>?, isCancelled: Bool)>((nil, false))

    func start(_ body: @escaping @Sendable () async throws -> Result) -> Task<Result, any Error> {
        let task = Task { try await body() }
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
        return task
    }

    /// Cancels the task.
    ///
    /// - Returns: false if it was already cancelled.
    func cancel() -> Bool {
        let (task, isFirst) = state.withLock { state in
            defer { state.isCancelled = true }
            return (state.task, !state.isCancelled)
        }
        task?.cancel()
        return isFirst
    }
}

/// A signal that arrived before its source was registered; 0 if none did.
private enum EarlySignal {
    static let number = Atomic<Int32>(0)
}

/// Handles SIGINT and SIGTERM for as long as the program runs.
///
/// Signals belong to the process, so one instance serves all of it. The sources are made once: on
/// Linux, a source that replaces an earlier one for the same signal receives nothing.
private struct SignalWatch: Sendable {
    typealias Action = @Sendable (Int32) -> Void

    private final class Current: Sendable {
        let action = Mutex<Action?>(nil)
    }

    static let shared = SignalWatch()

    private let current: Current
    // Retained so that the sources stay active.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    private init() {
        let current = Current()
        self.current = current
        // A separate queue, because the work to be stopped may keep every other thread busy.
        let queue = DispatchQueue(label: "albef.signals", qos: .userInteractive)
        sources = [SIGINT, SIGTERM].map { number in
            #if canImport(Darwin)
                // Otherwise the default action would come before the source.
                signal(number, SIG_IGN)
            #else
                // A source receives signals only some time after it is resumed. Until then the
                // default action would end the program.
                signal(number) { EarlySignal.number.store($0, ordering: .relaxed) }
            #endif
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            let handle: @Sendable () -> Void = {
                guard let act = current.action.withLock({ $0 }) else { Self.end(by: number) }
                act(number)
            }
            source.setEventHandler(handler: handle)
            source.setRegistrationHandler {
                let (isEarly, _) = EarlySignal.number.compareExchange(
                    expected: number, desired: 0, ordering: .relaxed)
                if isEarly { handle() }
            }
            return source
        }
    }

    /// Sets the action on a signal; nil ends the program.
    ///
    /// - Returns: The former action.
    @discardableResult
    func replaceAction(_ new: Action?) -> Action? {
        let old = current.action.withLock { action in
            defer { action = new }
            return action
        }
        // Start the sources only now: they report an early signal at once.
        Self.listening
        return old
    }

    /// Starts the sources, once.
    private static let listening: Void = { for source in shared.sources { source.resume() } }()

    /// Ends the program with the status that a shell reports for the signal.
    static func end(by number: Int32) -> Never { _exit(128 + number) }
}
