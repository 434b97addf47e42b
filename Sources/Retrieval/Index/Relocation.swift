import Foundation
import SystemPackage

/// Where the images of an index are after the folder that holds both was moved.
///
/// Entries have absolute paths, and every segment notes where its index was when it was written. An
/// index that is elsewhere now, and whose images are no longer where they were, finds them beside
/// itself as before.
struct Relocation: Sendable {
    /// The folder that held the index and the images.
    private let old: FilePath
    /// The folder that holds them now.
    private let new: FilePath

    /// How many entries are looked at.
    private static let sample = 16

    /// Decides whether images moved with an index; nil if they did not.
    ///
    /// - Parameters:
    ///   - former: where the index was when some entries were written.
    ///   - directory: where it is.
    ///   - paths: those of the entries; the first that lay in the folder decides.
    init?(
        from former: FilePath, to directory: FilePath, paths: some Sequence<FilePath>
    ) {
        guard former != directory else { return nil }
        old = former.removingLastComponent()
        new = directory.removingLastComponent()
        let files = FileManager.default
        let place = old
        guard let path = paths.prefix(Self.sample).first(where: { $0.starts(with: place) }),
            !files.fileExists(atPath: path.string),
            files.fileExists(atPath: self(path).string)
        else { return nil }
    }

    /// Where a file is now.
    func callAsFunction(_ path: FilePath) -> FilePath {
        var rest = path
        return rest.removePrefix(old) ? new.pushing(rest) : path
    }
}
