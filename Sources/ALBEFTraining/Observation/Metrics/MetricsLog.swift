import Foundation
import Storage
public import SystemPackage
import Torch

/// The log of a run, `metrics.jsonl`, with one JSON object per step or evaluation and line.
///
/// A last line without a newline, which a killed process may leave, is ignored.
public struct MetricsLog: Sendable {
    /// The file of the log.
    public let path: FilePath
    private var file: AppendingFile

    /// Opens or creates a log and removes an incomplete last line.
    ///
    /// - Throws: ``RunError`` if the file cannot be opened; `FileError` if it cannot be replaced.
    public init(_ path: FilePath) throws {
        self.path = path
        if let bytes = try path.bytesIfPresent(), let last = bytes.last, last != UInt8(ascii: "\n")
        {
            try AtomicFile.write(Self.whole(bytes), to: path)
        }
        file = try AppendingFile(path)
    }

    /// Appends one record as one line, in one write.
    ///
    /// - Throws: ``RunError`` if the file cannot be written.
    public func append(_ record: RunRecord) throws {
        var line = Array(try RunJSON.encoder().encode(record))
        line.append(UInt8(ascii: "\n"))
        try file.write(line)
    }

    /// Waits until every record is on the disk, which a checkpoint requires before it becomes
    /// valid.
    public func flush() throws { try file.flush() }

    /// Returns every record of the log.
    ///
    /// - Throws: ``RunError`` that names the file and the line if a complete line is invalid.
    /// - Complexity: O(*n*) in the size of the log.
    public func records() throws -> [RunRecord] { try Self.records(of: path) }

    /// Returns every record of a log, to which another process may be writing; empty if the file
    /// does not exist.
    ///
    /// - Throws: ``RunError`` that names the file and the line if a complete line is invalid.
    /// - Complexity: O(*n*) in the size of the log.
    public static func records(of path: FilePath) throws -> [RunRecord] {
        try lines(of: path).map(\.record)
    }

    /// Removes the records after a step, so that a run that resumes from it does not record them
    /// twice.
    ///
    /// The file is replaced atomically.
    ///
    /// - Parameters:
    ///   - step: The last step to keep, which is the checkpoint's.
    ///   - isEvaluated: Whether to keep an evaluation after that very step. Default: true.
    /// - Throws: ``RunError`` if a line is invalid; `FileError` if writing fails.
    public mutating func truncate(after step: Int, isEvaluated: Bool = true) throws {
        let lines = try Self.lines(of: path)
        let kept = lines.filter { line in
            line.record.step < step
                || (line.record.step == step && (isEvaluated || !line.record.isEvaluation))
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
                throw RunError(path, .brokenLine(index + 1, DecodingError.reason(of: error)))
            }
        }
    }
}
