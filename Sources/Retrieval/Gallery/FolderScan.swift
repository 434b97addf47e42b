import ImageText
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The picture files under a folder, found without opening them.
public struct FolderScan: Sendable {
    /// A file as the file system describes it.
    public struct File: Sendable, Hashable {
        /// The absolute path; any bytes, not only UTF-8.
        public let path: FilePath
        /// Size in bytes.
        public let size: Int
        /// When the file was last changed, in nanoseconds since 1970.
        public let modified: Int64

        /// Takes what is known of a file.
        package init(path: FilePath, size: Int, modified: Int64) {
            self.path = path
            self.size = size
            self.modified = modified
        }

        /// Asks the file system about a file.
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
                modified: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        }
    }

    /// File name extensions that count as pictures, in lower case.
    public static let extensions: Set<String> = ImageLoader.fileExtensions

    /// Where the scan began: an absolute path.
    public let root: FilePath
    /// The pictures, in the order of their paths' bytes.
    public private(set) var files: [File] = []
    /// Folders and links that could not be read, and why.
    public private(set) var failures: [GalleryFailure] = []
    private var visited: Set<Identity> = []

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// Looks through a folder and the folders in it; hidden ones are left out, links followed.
    ///
    /// - Parameter root: a folder, or one picture.
    /// - Throws: ``GalleryError`` if the root cannot be read or there are no pictures.
    public init(_ root: FilePath) throws(GalleryError) {
        let path = root.absolute
        self.root = path
        let status: stat
        do {
            status = try Self.status(path)
        } catch {
            throw .unreadable(path, error)
        }
        if Self.isFolder(status) {
            do {
                try visit(path, status)
            } catch {
                throw .unreadable(path, error)
            }
        } else {
            add(path, status)
        }
        guard !files.isEmpty else { throw .empty(path) }
        files.sort { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
    }

    private mutating func visit(_ folder: FilePath, _ status: stat) throws(Errno) {
        let identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        guard visited.insert(identity).inserted else { return }
        for name in try Self.names(in: folder) {
            let path = folder.appending(name)
            do throws(Errno) {
                let status = try Self.status(path)
                if Self.isFolder(status) {
                    try visit(path, status)
                } else if let suffix = path.extension?.lowercased(),
                    Self.extensions.contains(suffix)
                {
                    add(path, status)
                }
            } catch {
                failures.append(GalleryFailure(path: path, reason: "\(error)"))
            }
        }
    }

    private mutating func add(_ path: FilePath, _ status: stat) {
        guard status.st_mode & S_IFMT == S_IFREG else { return }
        files.append(File(path: path, status))
    }

    private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    fileprivate static func status(_ path: FilePath) throws(Errno) -> stat {
        var result = stat()
        let failed = path.withPlatformString { stat($0, &result) } != 0
        if failed { throw Errno(rawValue: errno) }
        return result
    }

    /// The visible names in a folder, as the bytes they are: Foundation would need UTF-8.
    private static func names(in folder: FilePath) throws(Errno) -> [FilePath.Component] {
        guard let stream = folder.withPlatformString({ opendir($0) }) else {
            throw Errno(rawValue: errno)
        }
        defer { closedir(stream) }
        var names: [FilePath.Component] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CInterop.PlatformChar.self, capacity: 256) {
                    FilePath.Component(platformString: $0)
                }
            }
            guard let name, name.kind == .regular else { continue }
            let hidden = name.withPlatformString {
                $0[0] == CInterop.PlatformChar(UInt8(ascii: "."))
            }
            if !hidden { names.append(name) }
        }
        return names
    }
}

extension FilePath {
    /// The same place from the root, without `.` and `..`.
    package var absolute: FilePath {
        FilePath.currentDirectory.pushing(self).lexicallyNormalized()
    }

    /// The folder that relative paths start from.
    package static var currentDirectory: FilePath {
        guard let path = getcwd(nil, 0) else { return FilePath("/") }
        defer { free(path) }
        return FilePath(platformString: path)
    }
}
