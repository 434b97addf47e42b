import Foundation
import RetrievalTesting
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

    /// The 200 tokens of `TinyModel`, one per line; the models of the golden sets have as many.
    package static let tinyVocabulary = repository.appending(
        "Sources/RetrievalTesting/vocabulary.txt")

    /// Runs `body` with a new folder that is deleted afterwards.
    package static func withTemporaryFolder<Result>(
        _ body: (FilePath) async throws -> Result
    ) async throws -> Result {
        try await RetrievalTesting.withTemporaryFolder(body)
    }
}
