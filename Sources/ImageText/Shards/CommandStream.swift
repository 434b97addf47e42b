internal import Foundation
internal import Synchronization
internal import SystemPackage

/// The standard output of a shell command, which runs as long as the object exists.
final class CommandStream: ShardStream {
    private struct State {
        var isCancelled = false
        /// The status that the system reported; `nil` while the command may still run.
        var status: Int32?
    }

    /// Commands start one after another, so that none inherits the pipe of another.
    private static let starting = Mutex(())

    private let output: FileDescriptor
    /// The command's process, which leads a group of its own.
    private let process: pid_t
    private let state = Mutex(State())

    /// Starts a command with `/bin/sh`; its errors go where the program's errors go.
    ///
    /// - Throws: ``ShardFault`` if it cannot be started.
    init(_ command: String) throws {
        do {
            (process, output) = try Self.starting.withLock { _ in try Self.start(command) }
        } catch let error as Errno {
            throw ShardFault("the command cannot be started: \(error)")
        }
    }

    deinit {
        cancel()
        try? output.close()
        _ = wait()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        do {
            return try output.read(into: buffer)
        } catch {
            throw ShardFault("the command's output cannot be read: \(error)")
        }
    }

    /// Waits for the command's end.
    ///
    /// - Throws: ``ShardFault`` with the status if it failed.
    func finish() throws {
        let status = wait()
        // A command that was stopped on purpose has not failed.
        guard status != 0, !state.withLock({ $0.isCancelled }) else { return }
        let signal = status & 0x7F
        throw ShardFault(
            signal == 0
                ? "the command failed with status \(status >> 8 & 0xFF)"
                : "the command was ended by signal \(signal)")
    }

    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            // Once it was waited for, its number may belong to another process.
            if state.status == nil { kill(-process, SIGKILL) }
        }
    }

    /// Returns the status of the command after its end.
    private func wait() -> Int32 {
        // Do not hold the lock while waiting, because `cancel` is what may end the command.
        var info = siginfo_t()
        while waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            if let status = state.status { return status }
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            state.status = status
            return status
        }
    }

    private static func start(_ command: String) throws -> (pid_t, FileDescriptor) {
        let (reading, writing) = try FileDescriptor.pipe()
        defer { try? writing.close() }
        _ = fcntl(reading.rawValue, F_SETFD, FD_CLOEXEC)
        _ = fcntl(writing.rawValue, F_SETFD, FD_CLOEXEC)
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, writing.rawValue, STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        // A group of its own, so that the whole pipeline can be ended.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        let words = ["/bin/sh", "-c", command]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let failure = posix_spawn(
            &process, words[0], &actions, &attributes, &arguments, environ)
        guard failure == 0 else {
            try? reading.close()
            throw Errno(rawValue: failure)
        }
        return (process, reading)
    }
}
