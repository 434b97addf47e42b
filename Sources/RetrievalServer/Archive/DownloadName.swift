/// Makes the file name under which a client saves an image.
enum DownloadName {
    private static let maximumCharacters = 200

    /// Returns the last component of a name without control characters; `image` if that is empty.
    ///
    /// - Parameters:
    ///   - name: The image's name for people, or a path.
    ///   - fileExtension: The extension to add if the name has none.
    static func clean(_ name: String, _ fileExtension: String) -> String {
        let last = name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
        var clean = String(
            String.UnicodeScalarView(
                last.unicodeScalars.filter { $0.properties.generalCategory != .control }
                    .prefix(maximumCharacters)))
        if clean.isEmpty || clean.allSatisfy({ $0 == "." }) { clean = "image" }
        if !clean.dropFirst().contains("."), !fileExtension.isEmpty {
            clean += ".\(fileExtension)"
        }
        return clean
    }
}

/// Makes distinct file names for one folder that are valid on every system.
package struct FolderNames: Sendable {
    /// The most bytes of a name without its number; systems allow 255 with it.
    private static let maximumBytes = 200

    private var taken: Set<String>

    /// Creates names for a folder.
    ///
    /// - Parameter taken: The names that the folder already has.
    package init(taken: [String] = []) { self.taken = Set(taken.map(Self.key)) }

    /// Returns a distinct name close to the wanted one: first `a.jpg`, then `a (2).jpg`.
    ///
    /// - Parameters:
    ///   - wanted: The wanted name, or a path.
    ///   - fileExtension: The extension to add if the name has none.
    package mutating func name(_ wanted: String, extension fileExtension: String) -> String {
        let clean = Self.portable(DownloadName.clean(wanted, fileExtension))
        // A leading dot hides a file and does not begin an extension.
        let dot = clean.dropFirst().lastIndex(of: ".")
        let end = dot.map { String(clean[$0...]) } ?? ""
        var stem = String(dot.map { clean[..<$0] } ?? clean[...])
        while !stem.isEmpty, stem.utf8.count + end.utf8.count > Self.maximumBytes {
            stem.removeLast()
        }
        var (name, number) = (stem + end, 2)
        while !taken.insert(Self.key(name)).inserted {
            name = "\(stem) (\(number))\(end)"
            number += 1
        }
        return name
    }

    /// Returns a key that is equal for names which some systems do not distinguish.
    ///
    /// These are `A.jpg` and `a.jpg`, and the two Unicode forms of `é`, which are equal strings.
    private static func key(_ name: String) -> String { name.lowercased() }

    /// Replaces the characters that a system reserves, and removes those that reverse the direction
    /// of writing.
    private static func portable(_ name: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            switch scalar {
            case "<", ">", ":", "\"", "|", "?", "*": scalars.append("_")
            case "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": break
            default: scalars.append(scalar)
            }
        }
        while let last = scalars.last, last == " " || last == "." { scalars.removeLast() }
        return scalars.isEmpty ? "image" : String(scalars)
    }
}
