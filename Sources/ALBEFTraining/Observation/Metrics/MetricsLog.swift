import Storage
import Foundation
public import SystemPackage
import Torch

/// The log of a run, `metrics.jsonl`: an object a line, steps and evaluations as they happened.
///
/// A line that a killed process left unfinished, without its newline, counts as not written.
public struct MetricsLog: Sendable {
    /// The log's file.
    public let path: FilePath
    private var file: AppendingFile

    /// Opens a log, or starts one; an unfinished last line is removed.
    ///
    /// - Throws: ``RunError`` when the file cannot be opened.
    public init(_ path: FilePath) throws {
        self.path = path
        if let bytes = try path.bytesIfPresent(), let last = bytes.last, last != UInt8(ascii: "\n")
        {
            try AtomicFile.write(Self.whole(bytes), to: path)
        }
        file = try AppendingFile(path)
    }

    /// Adds one record, as one line in one write.
    public func append(_ record: RunRecord) throws {
        var line = Array(try RunJSON.encoder().encode(record))
        line.append(UInt8(ascii: "\n"))
        try file.write(line)
    }

    /// Waits until every record is on the disk; a checkpoint calls this before it is made valid.
    public func flush() throws { try file.flush() }

    /// Every record of the log.
    ///
    /// - Throws: ``RunError`` that names file and line where a finished line is broken.
    public func records() throws -> [RunRecord] { try Self.records(of: path) }

    /// Every record of a log that others may be writing; none where there is no file.
    ///
    /// - Throws: ``RunError`` that names file and line where a finished line is broken.
    public static func records(of path: FilePath) throws -> [RunRecord] {
        try lines(of: path).map(\.record)
    }

    /// Removes what came after a step, so that a run resumed from there does not have it twice.
    ///
    /// The file is replaced at once, or stays as it is.
    ///
    /// - Parameters:
    ///   - step: The last step to keep; the step of the checkpoint.
    ///   - isEvaluated: Whether to keep an evaluation after that very step; default: to keep it.
    /// - Throws: ``RunError`` where a line is broken, `FileError` where writing fails.
    public mutating func truncate(after step: Int, isEvaluated: Bool = true) throws {
        let lines = try Self.lines(of: path)
        let kept = lines.filter { line in
            if !isEvaluated, line.record.step == step, case .evaluation = line.record {
                return false
            }
            return line.record.step <= step
        }
        guard kept.count < lines.count else { return }
        try AtomicFile.write(kept.flatMap { $0.bytes + [UInt8(ascii: "\n")] }, to: path)
        file = try AppendingFile(path)
    }

    private static func whole(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[...$0] } ?? []
    }

    private static func lines(
        of path: FilePath
    ) throws -> [(bytes: ArraySlice<UInt8>, record: RunRecord)] {
        let decoder = RunJSON.decoder()
        let lines = whole(try path.bytesIfPresent() ?? [])
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return try lines.enumerated().map { index, line in
            do {
                return (line, try decoder.decode(RunRecord.self, from: Data(line)))
            } catch {
                throw RunError(path, .brokenLine(index + 1, RunJSON.reason(error)))
            }
        }
    }
}
