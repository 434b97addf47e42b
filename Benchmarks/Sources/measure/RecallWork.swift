import Foundation
import ImageText
import Retrieval
import SystemPackage
import Torch

/// Searches in a small index of synthetic entries, which it makes in a folder of its own.
final class RecallWork {
    private static let count = 2000
    private static let width = 256
    private let folder: URL
    private let index: ForwardIndex
    private let query: Tensor

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "measure-\(ProcessInfo.processInfo.processIdentifier)")
        let directory = FilePath(folder.path(percentEncoded: false))
        let generator = try Generator(seed: 4)
        let features = Tensor.normal([Self.count, Self.width], generator: generator).normalized()
        try ForwardIndex.append(
            (0..<Self.count).map(Self.entry), features: features, tokens: nil, to: directory,
            model: ModelSignature(
                fingerprint: "synthetic", imageSize: 1, embeddingWidth: Self.width, tokenCount: 1,
                tokenWidth: 1),
            budget: TokenBudget(count: 0))
        index = try ForwardIndex(directory)
        query = features[7]
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Finds the best 20 entries of a query, the best 20 that fulfil two conditions, and reads a
    /// page of 24 entries.
    func search(_ request: Request) throws -> Answer {
        let conditions = [
            MetadataFilter("size", .less, "1001500"), MetadataFilter("camera", .equals, "Camera 7"),
        ]
        return try Answer.timing(request) {
            _ = try index.recall(query, count: 20)
            _ = try index.recall(query, count: 20, filters: conditions)
            for id in try index.page(
                where: [], by: .path, skipping: Self.count / 2, count: 24
            ).ids {
                _ = try index.entry(id)
            }
        }
    }

    private static func entry(_ number: Int) -> IndexEntry {
        var about = ImageFacts()
        (about.width, about.height) = number % 3 == 0 ? (3000, 4000) : (4000, 3000)
        about.camera = "Camera \(number % 11)"
        let digits = String(number, radix: 16)
        return IndexEntry(
            path: FilePath("/images/\(number % 20)/\(number).jpg"), size: 1_000_000 + number,
            modified: 0, sha256: String(repeating: "0", count: 64 - digits.count) + digits,
            about: about)
    }
}
