import Foundation
package import SystemPackage

/// Files for tests to read, and folders for them to write to.
package enum Fixtures {
    /// The checkout of this program's sources.
    package static let repository = FilePath(#filePath)
        .removingLastComponent().removingLastComponent().removingLastComponent()

    /// A file of `Tests/Fixtures`.
    package static func path(_ name: String) -> FilePath {
        repository.appending("Tests/Fixtures").pushing(FilePath(name))
    }

    /// Runs `body` with a new folder that is deleted afterwards.
    package static func withTemporaryFolder<Result>(
        _ body: (FilePath) async throws -> Result
    ) async throws -> Result {
        let folder = FilePath(NSTemporaryDirectory()).appending("albef-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        return try await body(folder)
    }
}
