import ArgumentParser
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into the cancellation of a task, so that it can finish cleanly.
///
/// Outside of ``cancelling(_:_:)`` both end the program at once, as does a second signal inside of
/// it; what is on disk is safe even then. `Albef.main` turns the `CancellationError` that comes of
/// it into ``exitCode``, so that commands need not.
enum Interrupts {
    /// Runs `body`, cancelling it on the first signal.
    ///
    /// - Parameter message: what to say when that happens.
    /// - Throws: What `body` throws, `CancellationError` above all.
    static func cancelling<Result: Sendable>(
        _ message: String, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let work = Work<Result>()
        // Before the work begins, so that no signal comes between the two.
        let outer = SignalWatch.shared.replaceAction { number in
            guard work.cancel() else { SignalWatch.end(by: number) }
            Console.note("\n\(message) (again to stop at once)")
        }
        defer { SignalWatch.shared.replaceAction(outer) }
        return try await work.start(body).value
    }

    /// The exit status of a program that was interrupted.
    static let exitCode = ExitCode(130)
}

/// A task that may be cancelled before it has begun.
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

    /// Cancels the task; false if that was done before.
    func cancel() -> Bool {
        let (task, isFirst) = state.withLock { state in
            defer { state.isCancelled = true }
            return (state.task, !state.isCancelled)
        }
        task?.cancel()
        return isFirst
    }
}

/// A signal that came before anyone could hear it; 0 for none.
private enum EarlySignal {
    static let number = Atomic<Int32>(0)
}

/// Waits for SIGINT and SIGTERM, for as long as the program runs.
///
/// Signals belong to the process, and so does this. The sources are made once: on Linux a source
/// that replaces an earlier one for the same signal hears nothing.
private struct SignalWatch: Sendable {
    typealias Action = @Sendable (Int32) -> Void

    private final class Current: Sendable {
        let action = Mutex<Action?>(nil)
    }

    static let shared = SignalWatch()

    private let current: Current
    // Kept so that they go on listening; nothing else is done with them.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    private init() {
        let current = Current()
        self.current = current
        // A queue of its own: the work that is to be stopped may keep every other thread busy.
        let queue = DispatchQueue(label: "albef.signals", qos: .userInteractive)
        sources = [SIGINT, SIGTERM].map { number in
            #if canImport(Darwin)
                // There the default action would come first.
                signal(number, SIG_IGN)
            #else
                // A source hears signals some time after it is resumed; until then the default
                // action would end the program.
                signal(number) { EarlySignal.number.store($0, ordering: .relaxed) }
            #endif
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            let hear: @Sendable () -> Void = {
                guard let act = current.action.withLock({ $0 }) else { Self.end(by: number) }
                act(number)
            }
            source.setEventHandler(handler: hear)
            source.setRegistrationHandler {
                let (isEarly, _) = EarlySignal.number.compareExchange(
                    expected: number, desired: 0, ordering: .relaxed)
                if isEarly { hear() }
            }
            return source
        }
    }

    /// Sets what happens on a signal; nil ends the program.
    ///
    /// - Returns: What happened before.
    @discardableResult
    func replaceAction(_ new: Action?) -> Action? {
        let old = current.action.withLock { action in
            defer { action = new }
            return action
        }
        // Not before there is an action: a source tells at once of a signal that came early.
        Self.listening
        return old
    }

    /// Lets the sources hear, once.
    private static let listening: Void = { for source in shared.sources { source.resume() } }()

    /// Ends the program as the signal itself would, seen from a shell.
    static func end(by number: Int32) -> Never { _exit(128 + number) }
}
