import Foundation

/// Gives received bytes to a reader, each once.
struct RemoteTarget: TransferTarget {
    private let buffer: RemoteBuffer
    /// The number of bytes that are requested at once.
    private let partLength: Int64
    private var known: PartialFile.Origin?
    /// The number of bytes that the reader has been given.
    private var given: Int64 = 0
    /// The place in the content of the next byte that is received.
    private(set) var size: Int64 = 0
    /// The length of the content; nil until a server that sends parts says it.
    private(set) var total: Int64?

    private struct Changed: LocalizedError {
        var errorDescription: String? { "the file on the server changed while it was read" }
    }

    init(_ buffer: RemoteBuffer, partLength: Int64) {
        self.buffer = buffer
        self.partLength = partLength
    }

    var requestedEnd: Int64? { size + partLength }
    var maximumBytes: Int64? { nil }

    func origin() -> PartialFile.Origin? { size > 0 ? known : nil }

    mutating func restart(from origin: PartialFile.Origin) throws {
        guard given == 0 || origin == known else { throw Changed() }
        known = origin
        size = 0
        total = nil
        try buffer.spool()
    }

    mutating func resume(from origin: PartialFile.Origin, total: Int64?) throws {
        guard given == 0 || (origin == known && (self.total == nil || total == self.total)) else {
            throw Changed()
        }
        known = origin
        self.total = total
    }

    mutating func append(_ data: Data) throws {
        let repeated = Int(min(max(0, given - size), Int64(data.count)))
        size += Int64(data.count)
        guard repeated < data.count else { return }
        try buffer.add(data.dropFirst(repeated))
        given = max(given, size)
    }
}
