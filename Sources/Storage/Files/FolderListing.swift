package import SystemPackage

/// The items of one folder, sorted by the bytes of their names.
package struct FolderListing: Sendable {
    /// A file, a folder or a link.
    package struct Item: Sendable {
        /// The name, as bytes: Foundation would require UTF-8.
        package let name: FilePath.Component
        /// Whether the file system reports a regular file.
        ///
        /// False for folders and links, and on file systems that do not report the kind.
        package let isFile: Bool

        /// Creates an item.
        package init(name: FilePath.Component, isFile: Bool) {
            self.name = name
            self.isFile = isFile
        }

        /// Whether the name begins with a dot.
        package var isHidden: Bool {
            name.withPlatformString { $0[0] == CInterop.PlatformChar(UInt8(ascii: ".")) }
        }
    }

    /// The items, sorted by the bytes of their names.
    package let items: [Item]
    /// The error that ended the listing early; nil if the listing is complete.
    package let error: Errno?

    /// Creates a listing and sorts its items.
    package init(items: [Item], error: Errno?) {
        self.items = items.sorted { a, b in
            a.name.withPlatformString { a in b.name.withPlatformString { strcmp(a, $0) < 0 } }
        }
        self.error = error
    }

    /// Lists a folder.
    ///
    /// - Throws: `Errno` if the folder cannot be opened. A later failure is in ``error``.
    package init(_ folder: FilePath) throws(Errno) {
        guard let stream = folder.withPlatformString({ opendir($0) }) else {
            throw Errno(rawValue: errno)
        }
        defer { closedir(stream) }
        var items: [Item] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CInterop.PlatformChar.self, capacity: 256) {
                    FilePath.Component(platformString: $0)
                }
            }
            if let name, name.kind == .regular {
                items.append(Item(name: name, isFile: entry.pointee.d_type == UInt8(DT_REG)))
            }
            errno = 0
        }
        // `readdir` returns nil at the end and on failure; only `errno` tells them apart.
        self.init(items: items, error: errno == 0 ? nil : Errno(rawValue: errno))
    }
}
