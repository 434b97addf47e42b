import Foundation
import SystemPackage

/// Finds the images of an index after the folder that contains both was moved.
///
/// Entries have absolute paths, and every segment records the directory of its index when it was
/// written. If the index is elsewhere now and its images are no longer in their old places, they
/// are looked for at the same path relative to the index.
struct Relocation: Sendable {
    /// The folder that contained the index and the images.
    private let old: FilePath
    /// The folder that contains them now.
    private let new: FilePath

    /// The number of entries that are examined.
    private static let sample = 16

    /// Determines whether images moved with an index; nil if they did not.
    ///
    /// - Parameters:
    ///   - former: The directory of the index when some entries were written.
    ///   - directory: The current directory of the index.
    ///   - paths: The paths of the entries; the first one in the old folder decides.
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

    /// Returns the current path of a file.
    func callAsFunction(_ path: FilePath) -> FilePath {
        var rest = path
        return rest.removePrefix(old) ? new.pushing(rest) : path
    }
}
