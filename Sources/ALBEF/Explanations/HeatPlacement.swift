/// The place of a heat map on its image: the patches cover the part of the image that the model
/// reads.
public struct HeatPlacement: Sendable, Hashable {
    /// The number of patches per row of the map.
    public let mapWidth: Int
    /// The number of rows of the map.
    public let mapHeight: Int
    /// The width and height of the image in pixels.
    public let imageWidth, imageHeight: Int
    /// The left column and the top row of the part that the patches cover.
    public let left, top: Int
    /// The width and height of that part in pixels.
    public let width, height: Int

    /// Creates the place of a map.
    ///
    /// - Parameters:
    ///   - mapWidth: the number of patches per row, at least 1.
    ///   - mapHeight: the number of rows, at least 1.
    ///   - imageWidth: the width of the image in pixels, at least 1.
    ///   - imageHeight: the height of the image in pixels, at least 1.
    ///   - fit: how the model makes images square: by default it squeezes the whole image; if it
    ///     crops, the patches cover the middle square.
    public init(
        mapWidth: Int, mapHeight: Int, imageWidth: Int, imageHeight: Int,
        fit: ALBEFConfiguration.Vision.Fit = .squeeze
    ) {
        precondition(
            mapWidth > 0 && mapHeight > 0, "a map of \(mapWidth) x \(mapHeight) patches is empty")
        precondition(
            imageWidth > 0 && imageHeight > 0, "the image has \(imageWidth) x \(imageHeight) pixels"
        )
        (self.mapWidth, self.mapHeight) = (mapWidth, mapHeight)
        (self.imageWidth, self.imageHeight) = (imageWidth, imageHeight)
        switch fit {
        case .squeeze: (width, height) = (imageWidth, imageHeight)
        case .crop:
            let side = min(imageWidth, imageHeight)
            (width, height) = (side, side)
        }
        (left, top) = ((imageWidth - width) / 2, (imageHeight - height) / 2)
    }

    /// Whether the patches cover the whole image.
    public var coversImage: Bool { width == imageWidth && height == imageHeight }
}

/// The weights by which bicubic interpolation reads patches, as PyTorch's: the cubic coefficient is
/// -0.75, corners are not aligned, and places beyond the edge take the edge's value.
enum CubicTaps {
    /// Returns the four patches and weights of each of `places` places along `count` patches.
    static func rows(from count: Int, to places: Int) -> [[(patch: Int, weight: Double)]] {
        (0..<places).map { place in
            let position = (Double(place) + 0.5) * Double(count) / Double(places) - 0.5
            let base = position.rounded(.down)
            let t = position - base
            return [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)].enumerated().map {
                (min(max(Int(base) + $0 - 1, 0), count - 1), $1)
            }
        }
    }

    private static let coefficient = -0.75

    /// The weight of a patch at a distance from 0 to 1.
    private static func inner(_ x: Double) -> Double {
        ((coefficient + 2) * x - (coefficient + 3)) * x * x + 1
    }

    /// The weight of a patch at a distance from 1 to 2.
    private static func outer(_ x: Double) -> Double {
        coefficient * (((x - 5) * x + 8) * x - 4)
    }
}
