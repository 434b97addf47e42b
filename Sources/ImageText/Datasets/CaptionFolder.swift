import Storage
internal import SystemPackage

/// A folder, searched recursively, in which each image has a text file of the same name.
struct CaptionFolder {
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let root: FilePath
    private var images: [(key: [CInterop.PlatformChar], path: FilePath)] = []
    private var visited: Set<Identity> = []

    init(_ root: FilePath) throws(DatasetError) {
        self.root = root
        try visit(root)
        images.sort { $0.key.lexicographicallyPrecedes($1.key) }
    }

    /// Adds every image with the lines of its text file as captions; an image without a text file
    /// has none.
    func read(into builder: inout DatasetBuilder) throws(DatasetError) {
        guard !images.isEmpty else { throw .empty(root, "contains no images") }
        var texts = 0
        for (_, path) in images {
            var file = path
            file.extension = "txt"
            var bytes: [UInt8] = []
            do throws(TextFile.Fault) {
                bytes = try TextFile.contents(of: file)
                texts += 1
            } catch {
                guard error.errno == .noSuchFileOrDirectory else {
                    throw .unreadable(file, error.reason)
                }
            }
            builder.add(
                path: path.lexicallyNormalized(), captions: try Self.lines(bytes, of: file))
        }
        guard texts > 0 else {
            throw .empty(
                root, "none of its \(images.count) images has a .txt file of the same name")
        }
    }

    private static func lines(
        _ bytes: [UInt8], of file: FilePath
    ) throws(DatasetError) -> [String] {
        var captions: [String] = []
        for (index, line) in TextFile.lines(bytes).enumerated() {
            guard let text = String(validating: line, as: UTF8.self) else {
                throw .malformed(file, line: index + 1, "is not UTF-8")
            }
            if !text.allSatisfy(\.isWhitespace) { captions.append(text) }
        }
        return captions
    }

    private mutating func visit(_ folder: FilePath) throws(DatasetError) {
        var status = stat()
        guard folder.withPlatformString({ stat($0, &status) }) == 0 else {
            // A dangling link.
            guard folder == root else { return }
            throw .unreadable(folder, "\(Errno(rawValue: errno))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR,
            visited.insert(
                Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
            ).inserted
        else { return }
        let listing: FolderListing
        do {
            listing = try FolderListing(folder)
        } catch {
            throw .unreadable(folder, "\(error)")
        }
        if let error = listing.error { throw .unreadable(folder, "\(error)") }
        for item in listing.items where !item.isHidden {
            let path = folder.appending(item.name)
            if let suffix = path.extension?.lowercased() {
                if ImageLoader.fileExtensions.contains(suffix) {
                    let key = path.withPlatformString {
                        Array(UnsafeBufferPointer(start: $0, count: strlen($0)))
                    }
                    images.append((key, path))
                    continue
                }
                if suffix == "txt" { continue }
            }
            // Anything else may be a folder; `visit` ignores other files.
            try visit(path)
        }
    }
}
