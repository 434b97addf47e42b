public import Logging
import SystemPackage

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Writes log entries to standard error, one JSON object per line, for whatever collects them.
///
/// `time` is the date and time in ISO 8601, with milliseconds, in UTC. Metadata that is given as a
/// number or as true or false is written as such.
public struct JSONLogHandler: LogHandler {
    /// What every entry says.
    public var metadata: Logger.Metadata = [:]
    /// What is less important is left out.
    public var logLevel: Logger.Level
    private let label: String
    private let now: @Sendable () -> Date
    private let write: @Sendable ([UInt8]) -> Void

    /// A handler.
    ///
    /// - Parameters:
    ///   - level: what is less important is left out.
    ///   - now: the time of an entry; default: the clock's.
    ///   - write: takes a whole line; nil writes it to standard error.
    public init(
        label: String, level: Logger.Level, now: @escaping @Sendable () -> Date = { .now },
        write: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        self.label = label
        self.now = now
        // One call per line: lines of several threads do not mix.
        self.write = write ?? { _ = try? FileDescriptor.standardError.writeAll($0) }
        logLevel = level
    }

    /// One field that every entry says.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an entry.
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

/// A value of an entry, as JSON has it.
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
