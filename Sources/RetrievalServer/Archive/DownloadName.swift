/// What a file is called where a client saves it.
enum DownloadName {
    private static let maximumCharacters = 200

    /// The last part of a name without control characters; `image` where nothing is left of it.
    ///
    /// - Parameters:
    ///   - name: what people call the file; of a path, the last part is taken.
    ///   - fileExtension: added where the name has none.
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

/// Names that can stand in one folder together, on any system.
package struct FolderNames: Sendable {
    /// Bytes that a name may have, with room for a number: systems take 255.
    private static let maximumBytes = 200

    private var taken: Set<String>

    /// - Parameter taken: names that are there already.
    package init(taken: [String] = []) { self.taken = Set(taken.map(Self.key)) }

    /// A name like one that is wanted, which no other has: `a.jpg`, then `a (2).jpg`.
    ///
    /// - Parameter fileExtension: added where the name has none.
    package mutating func name(_ wanted: String, extension fileExtension: String) -> String {
        let clean = Self.portable(DownloadName.clean(wanted, fileExtension))
        // A dot in front hides a file and begins no extension.
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

    /// Some systems take `A.jpg` and `a.jpg` for the same, and two ways to write `é`.
    private static func key(_ name: String) -> String { name.lowercased() }

    /// Without what a system gives a meaning, and what turns the direction of the name around.
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
