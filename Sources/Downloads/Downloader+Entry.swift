import Foundation
import Storage
import Synchronization
public import SystemPackage

extension Downloader {
    /// Downloads the files of an entry into a folder, under their own names, the weights last.
    ///
    /// For each part, the first alternative that the server has is downloaded. An alternative that
    /// the folder already has, even in part, is tried before the others. If the server has no
    /// alternative of an optional part, the part is omitted.
    ///
    /// - Parameters:
    ///   - entry: an entry of the catalogue.
    ///   - folder: the folder for the files, which is created if necessary.
    ///   - progress: a closure that receives the number of bytes of all files, on any thread. Until
    ///     the server reports the length of the weights, the total is the catalogue's estimate.
    /// - Returns: the files in the folder, in the order of the parts.
    /// - Throws: ``DownloadError``, or `CancellationError` if the task is cancelled. The received
    ///   bytes stay on the disk for the next call.
    public func download(
        _ entry: ModelCatalog.Entry, into folder: FilePath,
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) async throws -> [DownloadedFile] {
        var files: [DownloadedFile] = []
        var before: Int64 = 0
        for (index, part) in entry.parts.enumerated() {
            let isLast = index == entry.parts.count - 1
            let start = before
            let report: @Sendable (DownloadProgress) -> Void = { step in
                let received = start + step.received
                let known = isLast ? step.total.map { start + $0 } : nil
                progress(
                    DownloadProgress(
                        received: received, total: known ?? max(entry.downloadSize, received)))
            }
            guard let file = try await download(part, into: folder, progress: report) else {
                continue
            }
            files.append(file)
            before += Self.size(of: file.path)
        }
        return files
    }

    /// Downloads the first alternative of a part that the server has.
    ///
    /// - Returns: nil if the part is optional and the server has no alternative.
    private func download(
        _ part: ModelCatalog.Part, into folder: FilePath,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) async throws -> DownloadedFile? {
        func isBegun(_ file: ModelCatalog.File) -> Bool {
            let path = folder.appending(file.name)
            return FileSystem.exists(path) || FileSystem.exists(FilePath("\(path).partial"))
        }
        let files = part.alternatives.filter(isBegun) + part.alternatives.filter { !isBegun($0) }
        for (index, file) in files.enumerated() {
            do {
                return try await download(
                    file.address, to: folder.appending(file.name), sha256: file.sha256,
                    expecting: file.content, progress: progress)
            } catch let error as DownloadError {
                guard error.isAbsence, index < files.count - 1 || !part.isRequired else {
                    throw error
                }
            }
        }
        return nil
    }

    private static func size(of file: FilePath) -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.string)
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }
}
