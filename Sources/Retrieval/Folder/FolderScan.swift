import ImageText
package import Storage
public import SystemPackage

/// The image files under a folder, found without opening them.
///
/// A scan leaves out hidden files and folders, and folders of thumbnails, system data or packages,
/// such as `@eaDir` and `node_modules`. A file `.albefignore` in a folder lists more patterns for
/// everything below it, one per line: names such as `*.tmp.jpg`, or paths such as `2014/drafts`.
public struct FolderScan: Sendable {
    /// A file as the file system describes it.
    public struct File: Sendable, Hashable {
        /// The absolute path, in any bytes, not only UTF-8.
        public let path: FilePath
        /// The size in bytes.
        public let size: Int
        /// The time of the last change, in nanoseconds since 1970.
        ///
        /// Dates before 1677 or after 2262 are clamped to the first or last representable one.
        public let modified: Int64

        /// Creates a file from known properties.
        package init(path: FilePath, size: Int, modified: Int64) {
            self.path = path
            self.size = size
            self.modified = modified
        }

        /// Reads the properties of a file from the file system.
        package init(_ path: FilePath) throws(Errno) {
            self.init(path: path, try FolderScan.status(path))
        }

        fileprivate init(path: FilePath, _ status: stat) {
            #if canImport(Darwin)
                let time = status.st_mtimespec
            #else
                let time = status.st_mtim
            #endif
            self.init(
                path: path, size: Int(status.st_size),
                modified: Self.nanoseconds(Int64(time.tv_sec), Int64(time.tv_nsec)))
        }

        /// Returns a time in nanoseconds, clamped to the representable range.
        private static func nanoseconds(_ seconds: Int64, _ rest: Int64) -> Int64 {
            let (whole, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let (sum, isTooMuch) = whole.addingReportingOverflow(rest)
            guard isTooLarge || isTooMuch else { return sum }
            return seconds < 0 ? .min : .max
        }
    }

    /// The lower-case file name extensions of images.
    public static let extensions: Set<String> = ImageLoader.fileExtensions

    /// The absolute path at which the scan began.
    public let root: FilePath
    /// The images, sorted by the bytes of their paths; may be empty.
    public private(set) var files: [File] = []
    /// The folders and links that could not be read, with the reasons.
    ///
    /// Files inside them may still exist.
    public private(set) var failures: [SkippedFile] = []
    /// The number of files of other kinds for each lower-case extension; the key is empty for files
    /// without an extension.
    public private(set) var passedOver: [String: Int] = [:]
    private var visited: Set<Identity> = []

    /// The identity of a folder, whichever path leads to it.
    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ status: stat) {
            device = UInt64(truncatingIfNeeded: status.st_dev)
            inode = UInt64(truncatingIfNeeded: status.st_ino)
        }
    }

    /// Scans a folder and its subfolders, and follows links.
    ///
    /// - Parameters:
    ///   - root: A folder, or one image.
    ///   - exclude: Patterns to leave out, in the form of a file `.albefignore` in the root.
    /// - Throws: ``FolderError`` if the root cannot be read.
    /// - Complexity: One file system call per file, and sorting: O(*n* log *n*) for *n* files.
    public init(_ root: FilePath, exclude: [String] = []) throws(FolderError) {
        try self.init(root, exclude: exclude) { folder throws(Errno) in try FolderListing(folder) }
    }

    /// Scans a folder.
    ///
    /// - Parameters:
    ///   - root: A folder, or one image.
    ///   - exclude: Patterns to leave out.
    ///   - list: Returns the entries of a folder.
    package init(
        _ root: FilePath, exclude: [String] = [],
        list: (FilePath) throws(Errno) -> FolderListing
    ) throws(FolderError) {
        let path = root.absolute
        self.root = path
        do throws(Errno) {
            let status = try Self.status(path)
            if Self.isFolder(status) {
                try visit(path, status, Exclusions(exclude, base: path), list)
            } else if Self.isFile(status) {
                files = [File(path: path, status)]
            } else {
                throw Errno.invalidArgument
            }
        } catch {
            throw .unreadable(path, error)
        }
        files.sort { FilePath.precedes($0.path, $1.path) }
    }

    /// Creates a scan that covers the whole file system from given files.
    ///
    /// - Parameters:
    ///   - files: The files, sorted by the bytes of their paths.
    ///   - failures: The files that could not be read.
    init(everywhere files: [File], _ failures: [SkippedFile]) {
        root = FilePath("/")
        self.files = files
        self.failures = failures
    }

    /// Returns whether a path that the scan did not find certainly does not exist: it lies below
    /// the root and in no folder that could not be read.
    var covers: (FilePath) -> Bool {
        let (root, unread) = (root, Set(failures.map(\.path)))
        return { path in
            guard path.starts(with: root) else { return false }
            guard !unread.isEmpty else { return true }
            var path = path
            while !unread.contains(path) {
                guard path != root, path.removeLastComponent() else { return true }
            }
            return false
        }
    }

    /// Returns the images that belong to a shard of the folder, as a scan that found no others.
    ///
    /// - Complexity: O(f) for f files.
    public func part(of shard: IndexShard) -> FolderScan {
        var part = self
        part.files.removeAll { !shard.contains($0.path, in: root) }
        return part
    }

    /// Returns whether another scan found the same files and the same failures.
    public func findsSame(as other: FolderScan) -> Bool {
        files == other.files && failures == other.failures
    }

    private mutating func visit(
        _ folder: FilePath, _ status: stat, _ inherited: Exclusions,
        _ list: (FilePath) throws(Errno) -> FolderListing
    ) throws(Errno) {
        guard visited.insert(Identity(status)).inserted else { return }
        let listing = try list(folder)
        if let error = listing.error {
            failures.append(
                SkippedFile(
                    path: folder, reason: "the folder was not listed to its end: \(error)"))
        }
        let exclusions = exclusions(of: folder, listing, inherited)
        for item in listing.items where !item.isHidden {
            let path = folder.appending(item.name)
            do throws(Errno) {
                let status = try Self.status(path)
                let isFolder = Self.isFolder(status)
                if exclusions.contains(path, isFolder: isFolder) { continue }
                if isFolder {
                    try visit(path, status, exclusions, list)
                } else if Self.isFile(status) {
                    add(path, status)
                }
            } catch {
                // A file may have been deleted since its folder was listed, but a dangling link
                // still exists.
                if error == .noSuchFileOrDirectory, !Self.isLink(path) { continue }
                failures.append(SkippedFile(path: path, reason: "\(error)"))
            }
        }
    }

    /// Returns the exclusions that apply in a folder.
    private mutating func exclusions(
        of folder: FilePath, _ listing: FolderListing, _ inherited: Exclusions
    ) -> Exclusions {
        guard listing.items.contains(where: { $0.name.string == Exclusions.fileName }) else {
            return inherited
        }
        let path = folder.appending(Exclusions.fileName)
        var exclusions = inherited
        do {
            // Reading a pipe of this name would never end.
            guard Self.isFile(try Self.status(path)) else { return inherited }
            try exclusions.read(path)
        } catch {
            failures.append(SkippedFile(path: path, reason: "\(error)"))
        }
        return exclusions
    }

    private mutating func add(_ path: FilePath, _ status: stat) {
        let suffix = path.extension?.lowercased() ?? ""
        if Self.extensions.contains(suffix) {
            files.append(File(path: path, status))
        } else {
            passedOver[suffix, default: 0] += 1
        }
    }

    static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    private static func isFile(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

    private static func isLink(_ path: FilePath) -> Bool {
        var result = stat()
        return path.withPlatformString { lstat($0, &result) } == 0
            && result.st_mode & S_IFMT == S_IFLNK
    }

    static func status(_ path: FilePath) throws(Errno) -> stat {
        var result = stat()
        let failed = path.withPlatformString { stat($0, &result) } != 0
        if failed { throw Errno(rawValue: errno) }
        return result
    }
}

extension FilePath {
    /// The absolute path, without `.` and `..`.
    package var absolute: FilePath {
        FilePath.currentDirectory.pushing(self).lexicallyNormalized()
    }

    /// The current directory, from which relative paths start.
    package static var currentDirectory: FilePath {
        guard let path = getcwd(nil, 0) else { return FilePath("/") }
        defer { free(path) }
        return FilePath(platformString: path)
    }
}
