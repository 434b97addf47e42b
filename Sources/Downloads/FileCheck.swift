import Foundation
import SystemPackage

/// What the bytes of one download have to be.
struct FileCheck: Sendable {
    private let file: FilePath
    private let name: String
    private let content: DownloadContent
    private let address: URL
    private let record: HashRecord
    private let published: String?
    private let recorded: String?

    /// Looks up what is known, before any byte is fetched.
    init(
        _ file: FilePath, content: DownloadContent, published: String?, address: URL
    ) throws {
        self.file = file
        self.content = content
        self.address = address
        self.published = published?.lowercased()
        name = file.lastComponent?.string ?? file.string
        record = HashRecord(folder: file.removingLastComponent())
        recorded = published == nil ? try record.hash(of: name) : nil
    }

    /// The hash of the bytes at `path`, which is the published or the recorded one, or is recorded
    /// now.
    ///
    /// Nothing is recorded of a file that is not what was expected: the record would bar the true
    /// one for ever.
    ///
    /// - Parameter isNew: Whether the bytes have just been downloaded; they are not kept on failure.
    func run(on path: FilePath, isNew: Bool) throws -> String {
        if let fault = content.fault(of: path) {
            throw error(.content(content, fault: fault, isNew: isNew))
        }
        let actual = try HashRecord.sha256(of: path)
        if let published, published != actual {
            throw error(.hash(expected: published, actual: actual, isNew: isNew))
        }
        if let recorded, recorded != actual {
            throw error(
                .recordedHash(expected: recorded, actual: actual, record: record.path, isNew: isNew)
            )
        }
        if published == nil, recorded == nil { try record.add(actual, of: name) }
        return actual
    }

    private func error(_ code: DownloadError.Code) -> DownloadError {
        DownloadError(code, address: address, file: file)
    }
}
