import Storage
import SystemPackage

/// The patterns of files and folders that a scan leaves out.
///
/// A pattern is a name such as `thumbs` or `*.tmp.jpg`, which applies at any depth, or a path such
/// as `2014/drafts`, which starts at the folder of the pattern. `*` and `?` match any characters
/// except `/`. A pattern that ends in `/` applies to folders only.
struct Exclusions {
    /// The name of a file of patterns, one per line; lines that begin with `#` are comments.
    static let fileName = ".albefignore"

    /// The folders that are always left out: thumbnails, system folders and packages.
    static let folders: Set<String> = [
        "@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information",
        "__MACOSX", "lost+found", "node_modules",
    ]

    private struct Pattern {
        let glob: String
        let base: FilePath
        let isPath: Bool
        let isOfFolders: Bool

        init?(_ line: String, base: FilePath) {
            var glob = line[...]
            while glob.last?.isWhitespace == true { glob.removeLast() }
            guard let first = glob.first, first != "#" else { return nil }
            isOfFolders = glob.last == "/"
            if isOfFolders { glob.removeLast() }
            isPath = glob.contains("/")
            if glob.first == "/" { glob.removeFirst() }
            guard !glob.isEmpty else { return nil }
            self.glob = String(glob)
            self.base = base
        }

        func matches(_ path: FilePath) -> Bool {
            guard isPath else {
                return path.lastComponent?.withPlatformString { fnmatch(glob, $0, 0) == 0 } ?? false
            }
            var relative = path
            return relative.removePrefix(base)
                && relative.withPlatformString { fnmatch(glob, $0, FNM_PATHNAME) == 0 }
        }
    }

    private var patterns: [Pattern]

    /// Creates patterns whose paths start at a folder.
    init(_ patterns: [String], base: FilePath) {
        self.patterns = patterns.compactMap { Pattern($0, base: base) }
    }

    /// Adds the patterns of a file; their paths start at its folder.
    ///
    /// - Throws: ``MetadataError`` if the file cannot be read.
    mutating func read(_ file: FilePath) throws(MetadataError) {
        let base = file.removingLastComponent()
        patterns += try MetadataLine.lines(of: file).compactMap {
            Pattern(String(decoding: $0.bytes, as: UTF8.self), base: base)
        }
    }

    /// Returns whether a file or folder is left out.
    func contains(_ path: FilePath, isFolder: Bool) -> Bool {
        if isFolder, let name = path.lastComponent?.string, Self.folders.contains(name) {
            return true
        }
        return patterns.contains { (isFolder || !$0.isOfFolders) && $0.matches(path) }
    }
}
