public import Logging
import SystemPackage

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A log handler that writes one JSON object per line to standard error.
///
/// `time` is the date and time in UTC, in ISO 8601 with milliseconds. Metadata values that are
/// numbers or Booleans keep their type in JSON.
public struct JSONLogHandler: LogHandler {
    /// The fields of every entry.
    public var metadata: Logger.Metadata = [:]
    /// The least important level to write.
    public var logLevel: Logger.Level
    private let label: String
    private let now: @Sendable () -> Date
    private let write: @Sendable ([UInt8]) -> Void

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - label: The name of the logger, which each entry has as `logger`.
    ///   - level: The least important level to write.
    ///   - now: A closure that returns the time of an entry; the system clock by default.
    ///   - write: A closure that writes one line, newline included; nil writes to standard error.
    public init(
        label: String, level: Logger.Level, now: @escaping @Sendable () -> Date = { .now },
        write: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        self.label = label
        self.now = now
        // One write per line keeps the lines of several threads apart.
        self.write = write ?? { _ = try? FileDescriptor.standardError.writeAll($0) }
        logLevel = level
    }

    /// Accesses one field of every entry.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an entry as one line.
    public func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
            .filter { $0.key != "hb.request.id" }
            .mapValues(LogField.init)
        if let error = event.error { fields["error"] = .text("\(error)") }
        fields["time"] = .text(now().formatted(Self.style))
        fields["level"] = .text(event.level.rawValue)
        fields["message"] = .text("\(event.message)")
        fields["logger"] = .text(label)
        write(JSON.bytes(fields) + [UInt8(ascii: "\n")])
    }

    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}

/// A value of an entry, in the types of JSON.
private enum LogField: Encodable {
    case text(String)
    case whole(Int64)
    case number(Double)
    case flag(Bool)
    case list([LogField])
    case object([String: LogField])

    init(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): self = .text(text)
        case .array(let values): self = .list(values.map(LogField.init))
        case .dictionary(let values): self = .object(values.mapValues(LogField.init))
        case .stringConvertible(let value): self.init(any: value)
        }
    }

    private init(any value: any CustomStringConvertible & Sendable) {
        switch value {
        case let flag as Bool: self = .flag(flag)
        case let whole as any BinaryInteger:
            self = Int64(exactly: whole).map(LogField.whole) ?? .text("\(value)")
        case let number as Double where number.isFinite: self = .number(number)
        case let number as Float where number.isFinite: self = .number(Double(number))
        default: self = .text("\(value)")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .whole(let whole): try container.encode(whole)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .list(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}
