import Foundation
import SystemPackage
import TestSupport

/// The pages of the project: those beside the code, and the catalogs of the libraries.
enum Pages {
    /// Whether expected texts are rewritten, as for the help texts.
    static var isRecording: Bool {
        ProcessInfo.processInfo.environment["ALBEF_RECORD_SNAPSHOTS"] != nil
    }

    /// Every page that people read.
    static func all() throws -> [FilePath] {
        try beside()
            + files(under: Fixtures.repository.appending("Sources"), extension: "md")
            .filter { $0.string.contains(".docc/") }
    }

    /// `README.md`, `CONTRIBUTING.md`, `SECURITY.md`, the pages of `Examples` and those of
    /// `Documentation`.
    static func beside() throws -> [FilePath] {
        try [
            "README.md", "CONTRIBUTING.md", "SECURITY.md", "Examples/README.md",
            "Examples/library/README.md",
        ].map { Fixtures.repository.pushing(FilePath($0)) }
            + files(under: Fixtures.repository.appending("Documentation"), extension: "md")
    }

    /// The files of one kind below a folder, sorted.
    static func files(under folder: FilePath, extension kind: String) throws -> [FilePath] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.string)
            .filter { $0.hasSuffix(".\(kind)") }.sorted().map { folder.pushing(FilePath($0)) }
    }

    /// What a file says.
    static func text(_ file: FilePath) throws -> String {
        try String(contentsOfFile: file.string, encoding: .utf8)
    }

    /// What failures call a file: its path from the repository.
    static func name(_ file: FilePath) -> String {
        var path = file
        _ = path.removePrefix(Fixtures.repository)
        return path.string
    }
}
