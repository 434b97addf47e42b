import ImageText
import Retrieval
import SystemPackage

/// Small JPEG pictures for the page, made when they are first asked for.
struct ThumbnailMaker: Sendable {
    private struct Key: Hashable {
        let sha256: String
        let side: Int
    }

    private static let remembered = 2048
    private let queue: WorkQueue
    private let maximumPixels: Int
    private let recent = RecentValues<Key, [UInt8]>(count: Self.remembered)

    /// A maker.
    ///
    /// - Parameters:
    ///   - queue: where pictures are decoded.
    ///   - maximumPixels: what a picture may declare.
    init(_ queue: WorkQueue, maximumPixels: Int) {
        self.queue = queue
        self.maximumPixels = maximumPixels
    }

    /// A picture so that it fits into a square of `side` pixels, as JPEG.
    ///
    /// - Throws: `ImageError` if its file cannot be read; ``Problem`` if too much waits.
    func thumbnail(of entry: IndexEntry, side: Int) async throws -> [UInt8] {
        let key = Key(sha256: entry.sha256, side: side)
        if let known = recent[key] { return known }
        let (path, maximumPixels) = (entry.path, maximumPixels)
        let made = try await queue.run {
            let loader = ImageLoader(maximumPixels: maximumPixels, targetSide: side)
            let picture = try loader.load(path)
            let scale = min(1, Double(side) / Double(max(picture.width, picture.height)))
            func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
            let small =
                scale < 1
                ? Pixels.resize(
                    picture, width: scaled(picture.width), height: scaled(picture.height))
                : picture
            return try JPEGEncoder.encode(small, quality: 82, named: path.description)
        }
        recent.keep(made, for: key)
        return made
    }
}
