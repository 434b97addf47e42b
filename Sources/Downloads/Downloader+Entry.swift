import Storage
import Foundation
import Synchronization
public import SystemPackage

extension Downloader {
    /// Fetches the files of an entry into a folder, under their own names, the weights last.
    ///
    /// Of a part's alternatives the first that the server has is taken; one that is there already,
    /// whole or in part, comes before the others. A part that is not required is left out where the
    /// server has none of it.
    ///
    /// - Parameter progress: gets the bytes of all files together, from any thread. The total is
    ///   what the catalogue expects until the server has said how long the weights are.
    /// - Returns: the files that the folder has now, in the order of the parts.
    /// - Throws: ``DownloadError``, or `CancellationError` when the task is cancelled; what has
    ///   been received stays on disk for the next call.
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

    /// Fetches the first of some files that there is; nil if none has to be.
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
