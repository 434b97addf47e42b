import Foundation
import SystemPackage

/// The checks of one download: its content and its hash.
struct FileCheck: Sendable {
    private let file: FilePath
    private let name: String
    private let content: DownloadContent
    private let address: URL
    private let record: HashRecord
    private let published: String?
    private let recorded: String?

    /// Creates the check before the download, and looks up the recorded hash.
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

    /// Checks a file and returns its SHA-256.
    ///
    /// The hash must be the published or the recorded one. If neither exists, the hash is recorded.
    /// A file with the wrong content is never recorded, because its record would make every later
    /// download of the right file fail.
    ///
    /// - Parameter isNew: whether the file has just been downloaded and is deleted on failure.
    /// - Throws: ``DownloadError`` if the content or the hash is wrong.
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
