package import ALBEF
package import Retrieval
package import SystemPackage

extension GalleryWriter {
    /// The operations that the writer leaves to other parts of the service.
    package struct Steps: Sendable {
        /// Encodes images on the thread of the model.
        package var encode: @Sendable ([PreparedImage]) async throws -> EncodedImages
        /// Commits a change, and returns the paths to remove that the index held.
        package var commit: @Sendable (IndexChange) async throws -> Set<FilePath>
        /// Tidies the index by one step, and returns whether more may remain.
        package var tidy: @Sendable () async throws -> Bool

        /// Creates steps from three operations.
        package init(
            encode: @escaping @Sendable ([PreparedImage]) async throws -> EncodedImages,
            commit: @escaping @Sendable (IndexChange) async throws -> Set<FilePath>,
            tidy: @escaping @Sendable () async throws -> Bool
        ) {
            self.encode = encode
            self.commit = commit
            self.tidy = tidy
        }
    }
}

extension GalleryWriter.Steps {
    /// Creates the steps of a service.
    ///
    /// - Parameters:
    ///   - library: The index to change.
    ///   - compute: The thread that runs the model.
    ///   - disk: The thread that writes to the index.
    ///   - onCommit: A closure that receives the duration of each commit.
    init(
        _ library: IndexLibrary, compute: WorkQueue, disk: WorkQueue,
        onCommit: @escaping @Sendable (Duration) -> Void
    ) {
        self.init(
            encode: { pixels in
                try await compute.run(.upload) { try library.encode(pixels) }
            },
            commit: { change in
                let start = ContinuousClock.now
                defer { onCommit(ContinuousClock.now - start) }
                return try await LockPatience(limit: .seconds(2))() {
                    try await disk.run(.upload) {
                        try library.change {
                            try ForwardIndex.apply(
                                change, to: library.directory,
                                model: change.model ?? library.model.signature,
                                locator: library.locator, creates: false,
                                reusing: library.gallery.index)
                        }
                    }
                }
            },
            tidy: {
                try await disk.run(.folder) {
                    try library.change { try ForwardIndex.tidy(library.directory) }
                }
            })
    }
}
