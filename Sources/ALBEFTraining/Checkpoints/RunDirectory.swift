import Storage
import ALBEF
import Foundation
public import SystemPackage
import Torch

/// Where a run keeps its settings, its checkpoints and its log.
///
/// Checkpoints appear complete or not at all under `checkpoints/step-N`; `last` and `best` are links
/// to two of them, replaced atomically, and each is a model directory that every command takes. One
/// process at a time trains in a directory.
public struct RunDirectory: Sendable, Hashable {
    /// The directory.
    public let path: FilePath

    /// Names a directory, which need not be there yet.
    public init(_ path: FilePath) { self.path = path }

    /// The settings, every key named.
    public var settings: FilePath { path.appending("configuration.yaml") }
    /// The vocabulary as it was when the run began.
    public var vocabulary: FilePath { path.appending("vocab.txt") }
    /// The newest checkpoint.
    public var last: FilePath { path.appending("last") }
    /// The checkpoint with the best recall on the validation data.
    public var best: FilePath { path.appending("best") }
    /// What the frozen part of a trunk made of the images, where no other place was named.
    var trunkMaps: FilePath { path.appending("trunk-maps") }
    private var checkpoints: FilePath { path.appending("checkpoints") }

    /// Whether a run was begun here.
    public var isBegun: Bool { FileManager.default.fileExists(atPath: settings.string) }

    /// Whether a log was begun here.
    var isObserved: Bool {
        FileManager.default.fileExists(atPath: path.appending(RunFile.metrics).string)
    }

    /// Whether there is a checkpoint to go on from.
    var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: last.string) }

    /// Checks that a run that was begun here has these settings.
    ///
    /// - Throws: ``TrainingError`` that names the keys that differ, or says that the run's own
    ///   settings cannot be read.
    public func checkSettings(_ given: PretrainingConfiguration) throws {
        let keys = try SettingsFile.differences(
            SettingsFile.stored(settings), SettingsFile.asStored(given))
        guard keys.isEmpty else { throw TrainingError.otherSettings(path.string, keys) }
    }

    /// Keeps every other process from training in the directory for as long as the lock lives.
    ///
    /// Reading a run, for a report or a search, needs no lock.
    ///
    /// - Throws: ``TrainingError`` that names the run if another process trains in it, or if its
    ///   file system cannot lock.
    func lock() throws(TrainingError) -> FileLock {
        let file = path.appending("lock")
        do {
            return try FileLock(file)
        } catch {
            switch error {
            case .held: throw .locked(path.string)
            case .unopened(let errno):
                throw .settingsFile(file.string, "cannot be opened: \(errno)")
            case .unlockable(let errno):
                throw .settingsFile(file.string, "cannot be locked: \(errno)")
            }
        }
    }

    /// Makes the directory and copies the vocabulary; the settings come last, and begin the run.
    ///
    /// - Returns: the lock under which this was done; the run keeps it.
    func begin(_ configuration: PretrainingConfiguration, vocabulary file: FilePath) throws
        -> FileLock
    {
        try FileManager.default.createDirectory(
            atPath: checkpoints.string, withIntermediateDirectories: true)
        let lock = try self.lock()
        // Another process may have begun here a moment ago.
        guard !isBegun else { throw TrainingError.occupied(path.string) }
        let words = try Data(contentsOf: URL(filePath: file.string))
        try AtomicFile.write(words, to: vocabulary)
        let text = try SettingsFile.storedText(of: configuration)
        try AtomicFile.write(text.utf8, to: settings)
        return lock
    }

    /// Makes a checkpoint's directory complete before it gets its name and becomes the newest.
    ///
    /// - Parameter fill: writes the model and all else into a directory that does not exist yet.
    func addCheckpoint(step: Int, fill: (FilePath) throws -> Void) throws {
        // What is pointed at is never touched, not even by the same step taken again.
        let kept = pointedAt
        let base = String(format: "step-%08d", step)
        let name = [base, "\(base)-2", "\(base)-3"].first { !kept.contains($0) } ?? base
        let temporary = checkpoints.appending(".\(name).tmp")
        let final = checkpoints.appending(name)
        try? FileManager.default.removeItem(atPath: temporary.string)
        try fill(temporary)
        try? FileManager.default.removeItem(atPath: final.string)
        guard rename(temporary.string, final.string) == 0 else {
            throw TrainingError.settingsFile(final.string, "cannot be made: \(Errno.current)")
        }
        AtomicFile.flushDirectory(checkpoints)
        try point(last, at: name)
        prune()
    }

    /// Writes down what the evaluation of the newest checkpoint found.
    ///
    /// - Parameters:
    ///   - progress: how far the run is, with the evaluation.
    ///   - isBest: whether the checkpoint also becomes the best; it does so first, because a run
    ///     that is killed between the two evaluates again and finds the same.
    func finishEvaluation(_ progress: TrainingProgress, isBest: Bool) throws {
        if isBest, let name = Self.target(of: last) { try point(best, at: name) }
        try progress.write(to: last)
        prune()
    }

    /// The checkpoints that are the last or the best.
    private var pointedAt: [String] { [last, best].compactMap(Self.target) }

    /// The name of the checkpoint that a link points at; nil where there is no link.
    private static func target(of link: FilePath) -> String? {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: link.string))
            .flatMap { FilePath($0).lastComponent?.string }
    }

    /// Deletes every checkpoint that is neither the last nor the best.
    func prune() {
        let files = FileManager.default
        let kept = pointedAt
        let found = (try? files.contentsOfDirectory(atPath: checkpoints.string)) ?? []
        for name in found where !kept.contains(name) {
            try? files.removeItem(atPath: checkpoints.appending(name).string)
        }
    }

    private func point(_ link: FilePath, at name: String) throws {
        let temporary = path.appending(".\(link.lastComponent?.string ?? "link").tmp")
        unlink(temporary.string)
        guard symlink("checkpoints/\(name)", temporary.string) == 0,
            rename(temporary.string, link.string) == 0
        else { throw TrainingError.settingsFile(link.string, "cannot be made: \(Errno.current)") }
        AtomicFile.flushDirectory(path)
    }
}
