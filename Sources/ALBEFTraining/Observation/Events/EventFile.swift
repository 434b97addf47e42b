public import Foundation
public import SystemPackage

/// A file of TensorBoard's events, written without TensorFlow.
///
/// Every event is one write; a process that is killed leaves at most one that is cut short, which
/// TensorBoard takes for one still being written.
public struct EventFile: Sendable {
    private let file: AppendingFile

    /// The file, `events.out.tfevents.SECONDS.HOST`.
    public var path: FilePath { file.path }

    /// Starts a file in a directory; where two start in the same second, the later gets a number.
    ///
    /// - Parameters:
    ///   - directory: The run's directory, which exists.
    ///   - host: The machine's name.
    ///   - date: When the file starts.
    /// - Throws: ``RunError`` when the file cannot be created.
    public init(in directory: FilePath, host: String, date: Date = Date()) throws {
        // A host's name may be anything; a slash in it would be a directory.
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

    /// Adds values under their tags.
    public func append(
        _ values: [(tag: String, value: Double)], step: Int, date: Date = Date()
    ) throws {
        try write(.scalars(values), step: step, date)
    }

    /// Adds Markdown under a tag.
    public func append(text: String, tag: String, step: Int, date: Date = Date()) throws {
        try write(.text(tag: tag, text), step: step, date)
    }

    /// Says that the run was resumed: TensorBoard forgets what earlier files have from `step` on.
    ///
    /// - Parameter step: The first step that will be done again, one after the checkpoint's.
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
