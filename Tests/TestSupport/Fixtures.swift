import Foundation
import RetrievalTesting
package import SystemPackage

/// Files that tests read, and places where they may write.
package enum Fixtures {
    /// The checkout that this program was built from.
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
