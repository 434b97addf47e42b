public import Logging
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Writes log entries to standard error, a JSON object a line, for whatever collects them.
public struct JSONLogHandler: LogHandler {
    /// What every entry says.
    public var metadata: Logger.Metadata = [:]
    /// What is less important is left out.
    public var logLevel: Logger.Level
    private let label: String

    /// A handler.
    ///
    /// - Parameter level: what is less important is left out.
    public init(label: String, level: Logger.Level) {
        self.label = label
        logLevel = level
    }

    /// One field that every entry says.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an entry.
    public func log(event: LogEvent) {
        var fields: [String: String] = [:]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
        where key != "hb.request.id" {
            fields[key] = "\(value)"
        }
        fields["time"] = Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))
        fields["level"] = event.level.rawValue
        fields["message"] = "\(event.message)"
        fields["logger"] = label
        // One call a line: lines of several threads do not mix.
        _ = try? FileDescriptor.standardError.writeAll(JSON.bytes(fields) + [UInt8(ascii: "\n")])
    }
}
