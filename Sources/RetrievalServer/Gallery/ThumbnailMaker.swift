import ImageText
import Retrieval
import SystemPackage

/// Small JPEG images for the page, made when they are first asked for.
struct ThumbnailMaker: Sendable {
    private struct Key: Hashable {
        let sha256: String
        let side: Int
    }

    /// The sides that are made; a few, so that one image cannot fill the memory in many sizes.
    static let sides = [96, 200, 400, 800, 1024, 2048]
    private static let rememberedBytes = 64 << 20
    private let queue: WorkQueue
    private let maximumPixels: Int
    private let recent = RecentValues<Key, [UInt8]>(
        count: 16_384, bytes: Self.rememberedBytes, size: \.count)

    /// A maker.
    ///
    /// - Parameters:
    ///   - queue: where images are decoded.
    ///   - maximumPixels: pixels that an image may declare.
    init(_ queue: WorkQueue, maximumPixels: Int) {
        self.queue = queue
        self.maximumPixels = maximumPixels
    }

    /// The smallest side that is made and is not below `side`.
    static func side(atLeast side: Int) -> Int {
        sides.first { $0 >= side } ?? sides[sides.count - 1]
    }

    /// An image so that it fits into a square of `side` pixels, as JPEG.
    ///
    /// - Throws: `ImageError` if its file cannot be read; ``Problem`` if too much waits.
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
