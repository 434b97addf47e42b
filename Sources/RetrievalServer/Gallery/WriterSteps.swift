package import ALBEF
package import Retrieval
package import SystemPackage

extension GalleryWriter {
    /// What the writer has done by others.
    package struct Steps: Sendable {
        /// Encodes images on the model's thread.
        package var encode: @Sendable ([PreparedImage]) async throws -> EncodedImages
        /// Commits a change, and returns which of the paths to remove were there.
        package var commit: @Sendable (IndexChange) async throws -> Set<FilePath>
        /// One step of tidying; returns whether there may be more to do.
        package var tidy: @Sendable () async throws -> Bool

        /// Takes the steps.
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
    /// The steps of a service.
    ///
    /// - Parameters:
    ///   - compute: the model's thread.
    ///   - disk: the thread that writes.
    ///   - onCommit: is given how long a commit took.
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
