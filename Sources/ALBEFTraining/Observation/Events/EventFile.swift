public import Foundation
public import SystemPackage

/// A file of TensorBoard events, written without TensorFlow.
///
/// Every event is one write. A killed process leaves at most one incomplete event, which
/// TensorBoard treats as one that is still being written.
public struct EventFile: Sendable {
    private let file: AppendingFile

    /// The path of the file, whose name is `events.out.tfevents.SECONDS.HOST`.
    public var path: FilePath { file.path }

    /// Creates a file in a directory; if the name is taken, a number is appended to it.
    ///
    /// - Parameters:
    ///   - directory: The run's directory, which exists.
    ///   - host: The name of the machine.
    ///   - date: The time at which the file starts. Default: now.
    /// - Throws: ``RunError`` if the file cannot be created.
    public init(in directory: FilePath, host: String, date: Date = Date()) throws {
        // A slash in a host name would otherwise separate a directory.
        let host = host.replacing("/", with: "-")
        let name =
            String(format: "events.out.tfevents.%010d.", Int(date.timeIntervalSince1970)) + host
        file = try Self.create(name, in: directory)
        try write(.version, step: 0, date)
    }

    private static func create(_ name: String, in directory: FilePath) throws -> AppendingFile {
        var number = 0
        while true {
            let path = directory.appending(number == 0 ? name : "\(name).\(number)")
            do {
                return try AppendingFile(path, isNew: true)
            } catch {
                guard case .system(_, .fileExists) = error.code else { throw error }
                number += 1
            }
        }
    }

    /// Appends values with their tags.
    ///
    /// - Throws: ``RunError`` if the file cannot be written.
    public func append(
        _ values: [(tag: String, value: Double)], step: Int, date: Date = Date()
    ) throws {
        try write(.scalars(values), step: step, date)
    }

    /// Appends Markdown with a tag.
    ///
    /// - Throws: ``RunError`` if the file cannot be written.
    public func append(text: String, tag: String, step: Int, date: Date = Date()) throws {
        try write(.text(tag: tag, text), step: step, date)
    }

    /// Records that the run was resumed, so that TensorBoard discards what earlier files contain
    /// from `step` on.
    ///
    /// - Parameters:
    ///   - step: The first step to be repeated, one after the checkpoint's.
    ///   - date: The time of the event. Default: now.
    /// - Throws: ``RunError`` if the file cannot be written.
    public func appendSessionStart(step: Int, date: Date = Date()) throws {
        try write(.sessionStart, step: step, date)
    }

    /// Waits until every event is on the disk.
    public func flush() throws { try file.flush() }

    private func write(_ content: Event.Content, step: Int, _ date: Date) throws {
        let event = Event(wallTime: date.timeIntervalSince1970, step: step, content: content)
        try file.write(event.record)
    }
}
