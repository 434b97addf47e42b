import ALBEF
import Foundation
import Storage
public import SystemPackage
import Torch

/// The directory of a training run: its settings, its checkpoints and its log.
///
/// A checkpoint appears under `checkpoints/step-N`, either complete or not at all. `last` and
/// `best` are links to two of the checkpoints and are replaced atomically. Each checkpoint is a
/// model directory that every command accepts. Only one process at a time can train in a directory.
public struct RunDirectory: Sendable, Hashable {
    /// The directory.
    public let path: FilePath

    /// Names a directory, which need not exist yet.
    public init(_ path: FilePath) { self.path = path }

    /// The settings file, which names every key.
    public var settings: FilePath { path.appending("configuration.yaml") }
    /// The copy of the vocabulary that was made when the run began.
    public var vocabulary: FilePath { path.appending("vocab.txt") }
    /// The newest checkpoint.
    public var last: FilePath { path.appending("last") }
    /// The checkpoint with the best recall on the validation data.
    public var best: FilePath { path.appending("best") }
    /// The default file of the feature maps that the frozen part of a trunk computes.
    var trunkMaps: FilePath { path.appending("trunk-maps") }
    /// The counts of shards that had to be counted when the run began.
    var shardCounts: FilePath { path.appending("shard-counts.json") }
    private var checkpoints: FilePath { path.appending("checkpoints") }

    /// Whether a run has begun in this directory.
    public var isBegun: Bool { FileManager.default.fileExists(atPath: settings.string) }

    /// Whether the directory contains a log.
    var isObserved: Bool {
        FileManager.default.fileExists(atPath: path.appending(RunFile.metrics).string)
    }

    /// Whether there is a checkpoint to resume from.
    var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: last.string) }

    /// Reads the settings of the run in this directory.
    ///
    /// - Throws: ``TrainingError`` that names the settings file if it cannot be read.
    public func configuration() throws -> TrainingConfiguration {
        try SettingsFile.stored(settings)
    }

    /// Checks that the run in this directory was begun with the given settings.
    ///
    /// - Throws: ``TrainingError`` that names the keys that differ, or the settings file if it
    ///   cannot be read.
    public func checkSettings(_ given: TrainingConfiguration) throws {
        let keys = try SettingsFile.differences(
            SettingsFile.stored(settings), SettingsFile.asStored(given))
        guard keys.isEmpty else { throw TrainingError.otherSettings(path.string, keys) }
    }

    /// Locks the directory against training by another process for as long as the lock exists.
    ///
    /// Commands that only read a run, such as a report or a search, need no lock.
    ///
    /// - Throws: ``TrainingError`` that names the run if another process trains in it, or the lock
    ///   file if it cannot be opened or locked.
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

    /// Creates the directory, copies the vocabulary and then writes the settings, whose presence
    /// marks the run as begun.
    ///
    /// - Returns: The lock that was held meanwhile; the run keeps it.
    /// - Throws: ``TrainingError`` if another process trains in the directory or has begun a run in
    ///   it.
    func begin(_ configuration: TrainingConfiguration, vocabulary file: FilePath) throws
        -> FileLock
    {
        try FileManager.default.createDirectory(
            atPath: checkpoints.string, withIntermediateDirectories: true)
        let lock = try self.lock()
        // Another process may have begun a run here a moment ago.
        guard !isBegun else { throw TrainingError.occupied(path.string) }
        let words = try Data(contentsOf: URL(filePath: file.string))
        try AtomicFile.write(words, to: vocabulary)
        let text = try SettingsFile.storedText(of: configuration)
        try AtomicFile.write(text.utf8, to: settings)
        return lock
    }

    /// Completes a checkpoint under a temporary name, renames it and makes it the newest.
    ///
    /// - Parameters:
    ///   - step: The number of steps taken.
    ///   - fill: Writes the model and the training state into the given directory, which does not
    ///     exist yet.
    func addCheckpoint(step: Int, fill: (FilePath) throws -> Void) throws {
        // A checkpoint that a link points at is never changed, even if a resumed run repeats its
        // step.
        let kept = pointedAt
        let base = String(format: "step-%08d", step)
        let name = [base, "\(base)-2", "\(base)-3"].first { !kept.contains($0) } ?? base
        let temporary = checkpoints.appending(".\(name).tmp")
        let final = checkpoints.appending(name)
        try? FileManager.default.removeItem(atPath: temporary.string)
        do {
            try fill(temporary)
            try? FileManager.default.removeItem(atPath: final.string)
            guard rename(temporary.string, final.string) == 0 else {
                throw TrainingError.settingsFile(
                    final.string, "cannot be created: \(Errno.current)")
            }
        } catch {
            // Half a checkpoint must not stay on a disk that is full.
            try? FileManager.default.removeItem(atPath: temporary.string)
            throw error
        }
        AtomicFile.flushDirectory(checkpoints)
        try point(last, at: name)
        prune()
    }

    /// Records the result of evaluating the newest checkpoint.
    ///
    /// - Parameters:
    ///   - progress: The run's progress, evaluation included.
    ///   - isBest: Whether the checkpoint also becomes the best. The link is replaced first: a run
    ///     that is killed before the progress is written evaluates again, with the same result.
    func finishEvaluation(_ progress: TrainingProgress, isBest: Bool) throws {
        if isBest, let name = Self.target(of: last) { try point(best, at: name) }
        try progress.write(to: last)
        prune()
    }

    /// The names of the checkpoints that `last` and `best` point at.
    private var pointedAt: [String] { [last, best].compactMap(Self.target) }

    /// Returns the name of the checkpoint that a link points at, or nil if there is no such link.
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
        else {
            throw TrainingError.settingsFile(link.string, "cannot be created: \(Errno.current)")
        }
        AtomicFile.flushDirectory(path)
    }
}
