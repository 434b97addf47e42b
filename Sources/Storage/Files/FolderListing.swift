package import SystemPackage

/// The names in a folder.
package struct FolderListing: Sendable {
    /// A file, a folder or a link.
    package struct Item: Sendable {
        /// Its name, as the bytes it is: Foundation would need UTF-8.
        package let name: FilePath.Component
        /// Whether it is a file for certain, and no folder or link.
        package let isFile: Bool

        /// Takes what is known of an item.
        package init(name: FilePath.Component, isFile: Bool) {
            self.name = name
            self.isFile = isFile
        }

        /// Whether its name begins with a dot.
        package var isHidden: Bool {
            name.withPlatformString { $0[0] == CInterop.PlatformChar(UInt8(ascii: ".")) }
        }
    }

    /// What was listed, by the bytes of the names.
    package let items: [Item]
    /// Why listing ended early; nil if these are all.
    package let error: Errno?

    /// Takes what was listed.
    package init(items: [Item], error: Errno?) {
        self.items = items.sorted { a, b in
            a.name.withPlatformString { a in b.name.withPlatformString { strcmp(a, $0) < 0 } }
        }
        self.error = error
    }

    /// Lists a folder.
    ///
    /// - Throws: `Errno` if it cannot be opened.
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
        // At the end and after a failure alike there is no entry; only the number tells.
        self.init(items: items, error: errno == 0 ? nil : Errno(rawValue: errno))
    }
}
