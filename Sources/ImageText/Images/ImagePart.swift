/// A part of an image in pixels, from the top left.
public struct ImagePart: Sendable, Hashable {
    /// The first column and row.
    public let left, top: Int
    /// The width and height in pixels, at least 1 each.
    public let width, height: Int

    /// Creates a part by its first column and row and its size in pixels.
    public init(left: Int, top: Int, width: Int, height: Int) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    /// Returns the whole of an image.
    static func whole(width: Int, height: Int) -> ImagePart {
        ImagePart(left: 0, top: 0, width: width, height: height)
    }
}

extension RGBImage {
    /// Returns the part that `choose` returns for the image's width and height.
    func part(_ choose: ImageLoader.PartChoice) -> RGBImage {
        let part = choose(width, height)
        return Pixels.crop(
            self, left: part.left, top: part.top, width: part.width, height: part.height)
    }
}
