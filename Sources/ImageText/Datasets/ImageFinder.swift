internal import SystemPackage

/// Finds the files of images by names that may lack their extension.
struct ImageFinder {
    /// The folder that relative names start from.
    let root: FilePath
    private var found: [ExactText: FilePath] = [:]

    /// Creates a finder in a folder.
    init(root: FilePath) { self.root = root }

    /// The extensions to try, the common ones first.
    private static let extensions: [String] = {
        let common = ["png", "jpg", "jpeg", "webp"]
        return common + ImageLoader.fileExtensions.subtracting(common).sorted()
    }()

    /// Returns the file of a name: the one with exactly this name, otherwise the first one that has
    /// an extension besides.
    ///
    /// If neither exists, it is the file with exactly this name. Each name is looked for once.
    mutating func file(_ name: String) -> FilePath {
        let key = ExactText(name)
        if let file = found[key] { return file }
        let file = look(for: name)
        found[key] = file
        return file
    }

    private func look(for name: String) -> FilePath {
        let image = root.pushing(FilePath(name)).lexicallyNormalized()
        guard !ImageFile.exists(image), let last = image.lastComponent else { return image }
        for suffix in Self.extensions {
            var candidate = image.removingLastComponent()
            candidate.append(last.string + "." + suffix)
            if ImageFile.exists(candidate) { return candidate }
        }
        return image
    }
}
