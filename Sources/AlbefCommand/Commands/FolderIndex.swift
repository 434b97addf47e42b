import Foundation
import ImageText
import Retrieval
import SystemPackage

/// The default place for the index of a folder.
enum FolderIndex {
    /// Returns the index directory of a folder: the folder's name, and a hash of its absolute path.
    ///
    /// It lies in `albef/indexes` in `$XDG_DATA_HOME`, else in `~/.local/share`, or on macOS in
    /// `~/Library/Application Support`. A variable that is not an absolute path is ignored.
    static func path(
        of folder: FilePath, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> FilePath {
        let absolute = folder.absolute.lexicallyNormalized()
        var hash = ContentHash()
        hash.add(absolute.string)
        let name = absolute.lastComponent?.string ?? "root"
        return data(environment).appending("albef").appending("indexes")
            .appending("\(name)-\(String(hash.word, radix: 16))")
    }

    private static func data(_ environment: [String: String]) -> FilePath {
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return FilePath(data) }
        let home = FilePath(
            environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory())
        #if os(macOS)
            return home.appending("Library/Application Support")
        #else
            return home.appending(".local/share")
        #endif
    }
}
