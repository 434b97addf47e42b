import Foundation

/// Where the bytes of a ``Transfer`` go: a file or a reader.
protocol TransferTarget: Sendable {
    /// The number of bytes so far, at which the next request resumes.
    var size: Int64 { get }
    /// The place before which the next request ends; nil for the end of the file.
    var requestedEnd: Int64? { get }
    /// The length of the longest file that is taken; nil for any length.
    var maximumBytes: Int64? { get }

    /// Returns the origin of the bytes; nil if there are none or it is not known.
    func origin() -> PartialFile.Origin?

    /// Takes the bytes of this origin from the first one on.
    mutating func restart(from origin: PartialFile.Origin) throws

    /// Goes on with a part of a file.
    ///
    /// - Parameters:
    ///   - origin: The version of the file that the part is of.
    ///   - total: The length of the file; nil if the server does not say it.
    mutating func resume(from origin: PartialFile.Origin, total: Int64?) throws

    /// Adds received bytes.
    mutating func append(_ data: Data) throws
}

extension PartialFile: TransferTarget {
    var requestedEnd: Int64? { nil }
    // The request has asked for this version.
    mutating func resume(from origin: Origin, total: Int64?) {}
}
