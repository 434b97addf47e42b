import ImageText
import SystemPackage
import Testing

/// Annotation files of tasks beside small images.
enum TaskFixtures {
    /// The images that exist: 8 x 8 pixels each.
    static let images = ["a.bmp", "sub/b.bmp", "4705552913.jpg", "COCO_train2014_000000000042.jpg"]

    /// Writes an annotation file beside the images and reads it.
    static func read<Dataset: Sendable>(
        _ text: String, named name: String = "x.json",
        _ read: (_ file: FilePath, _ folder: FilePath) throws -> Dataset
    ) async throws -> Dataset {
        try await DatasetFixtures.withFolder { folder in
            for (seed, image) in images.enumerated() {
                try DatasetFixtures.write(
                    DatasetFixtures.bitmap(seed), to: folder.pushing(FilePath(image)))
            }
            let file = try DatasetFixtures.write(text, to: folder.appending(name))
            return try read(file, folder)
        }
    }

    /// Expects an error of a data set that contains a text, after the file's folder.
    static func expectError<Dataset: Sendable>(
        _ expected: String, _ text: String, named name: String = "x.json",
        _ read: (_ file: FilePath, _ folder: FilePath) throws -> Dataset
    ) async {
        await #expect {
            _ = try await Self.read(text, named: name, read)
        } throws: {
            $0 is DatasetError && "\($0)".contains("/" + expected)
        }
    }
}

extension FilePath {
    /// The name of the file without its folders.
    var name: String { lastComponent?.string ?? "" }
}
