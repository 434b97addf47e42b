import ImageText
import Retrieval
import SystemPackage

/// Makes small JPEG images for the page on demand, and caches them.
struct ThumbnailMaker: Sendable {
    private struct Key: Hashable {
        let sha256: String
        let side: Int
    }

    /// The sides of thumbnails, in pixels.
    ///
    /// They are few, so that one image in many sizes cannot fill the cache.
    static let sides = [96, 200, 400, 800, 1024, 2048]
    private static let rememberedBytes = 64 << 20
    private let queue: WorkQueue
    private let maximumPixels: Int
    private let recent = RecentValues<Key, [UInt8]>(
        count: 16_384, bytes: Self.rememberedBytes, size: \.count)

    /// Creates a maker.
    ///
    /// - Parameters:
    ///   - queue: The queue that decodes images.
    ///   - maximumPixels: The most pixels that an image file may declare.
    init(_ queue: WorkQueue, maximumPixels: Int) {
        self.queue = queue
        self.maximumPixels = maximumPixels
    }

    /// Returns the smallest side of at least `side` pixels, or the largest side if all are smaller.
    static func side(atLeast side: Int) -> Int {
        sides.first { $0 >= side } ?? sides[sides.count - 1]
    }

    /// Returns an image as a JPEG that fits into a square of `side` pixels.
    ///
    /// - Throws: `ImageError` if the file cannot be read; ``Problem`` if too many requests wait.
    func thumbnail(of entry: IndexEntry, side: Int) async throws -> [UInt8] {
        let key = Key(sha256: entry.sha256, side: side)
        if let known = recent[key] { return known }
        let (path, maximumPixels) = (entry.path, maximumPixels)
        let made = try await queue.run {
            let loader = ImageLoader(maximumPixels: maximumPixels, targetSide: side)
            let small = ImageTransform.fitted(try loader.load(path), side: side)
            return try JPEGEncoder.encode(small, quality: 82, named: path.description)
        }
        recent.keep(made, for: key)
        return made
    }
}
