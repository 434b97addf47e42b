internal import Foundation
public import ImageText

/// Draws heat maps over images.
///
/// As in the original's visualisation, hot places take a colour from blue to red, and the image
/// shows through cool places: a pixel becomes `(1 - a) · image + a · colour`, where `a` grows with
/// the heat to the power of ``exponent``. Unlike there, ``opacity`` keeps the image visible at hot
/// places too.
///
/// A renderer has no mutable state and may be used from several threads.
public struct HeatMapRenderer: Sendable, Hashable {
    /// The exponent of the heat; below 1, colour appears at low heat.
    ///
    /// The default is the original's 0.7.
    public var exponent: Float
    /// The share of colour at the hottest place, from 0 to 1.
    public var opacity: Float

    /// Creates a renderer; the defaults suit photographs.
    ///
    /// - Parameters:
    ///   - exponent: The exponent of the heat, above 0. Default: 0.7.
    ///   - opacity: The share of colour at the hottest place, from 0 to 1. Default: 0.75.
    public init(exponent: Float = 0.7, opacity: Float = 0.75) {
        precondition(exponent > 0, "exponent must be above 0, not \(exponent)")
        precondition((0...1).contains(opacity), "opacity must be from 0 to 1, not \(opacity)")
        self.exponent = exponent
        self.opacity = opacity
    }

    /// Returns the image with the map drawn over it, at the image's size.
    ///
    /// The hottest place of a map is always red, however little heat it has. Use `strength` to fade
    /// maps with less weight; see ``Explanation/strength(of:)``.
    ///
    /// - Parameters:
    ///   - map: A map `[h, w]`, which is stretched over the whole image as the model's input is.
    ///   - image: An image `[H, W, 3]`.
    ///   - strength: A factor for ``opacity``, from 0 to 1. Default: 1.
    /// - Complexity: O(H · W).
    public func overlay(
        _ map: HeatMap, on image: RGBImage, strength: Float = 1
    ) -> RGBImage {
        let heat = map.spread(width: image.width, height: image.height)
        // Comparisons with NaN are false, so a NaN becomes 0.
        let strength = strength > 0 ? min(strength, 1) : 0
        let levels = (0..<256).map { level($0, strength: strength) }
        var pixels = image.pixels
        for (index, heat) in heat.enumerated() {
            let (share, colour) = levels[heat > 0 ? Int(min(heat, 1) * 255) : 0]
            for channel in 0..<3 {
                let place = 3 * index + channel
                pixels[place] = UInt8((1 - share) * Float(pixels[place]) + share * colour[channel])
            }
        }
        return RGBImage(width: image.width, height: image.height, pixels: pixels)
    }

    /// Returns the image with the map drawn over it, as a PNG file.
    ///
    /// - Parameters:
    ///   - map: A map `[h, w]`, which is stretched over the whole image.
    ///   - image: An image `[H, W, 3]`.
    ///   - strength: A factor for ``opacity``, from 0 to 1. Default: 1.
    ///   - name: The name of the image in errors.
    /// - Throws: `ImageError` if libvips is missing or has no PNG support.
    public func png(
        _ map: HeatMap, on image: RGBImage, strength: Float = 1,
        named name: String = "a heat map"
    ) throws(ImageError) -> [UInt8] {
        try PNGEncoder.encode(overlay(map, on: image, strength: strength), named: name)
    }

    /// Returns the colour at a heat from 0 to 255, and its share of the pixel.
    private func level(
        _ heat: Int, strength: Float
    ) -> (share: Float, colour: SIMD3<Float>) {
        let value = Float(heat) / 255
        let share = strength * opacity * pow(value, exponent)
        return (share > 0 ? min(share, 1) : 0, Self.colour(value))
    }

    /// Returns a colour of Turbo (Mikhailov, 2019), which runs from blue to red like the original's
    /// jet, but more evenly; by a polynomial fit.
    static func colour(_ x: Float) -> SIMD3<Float> {
        let coefficients: [SIMD3<Float>] = [
            [0.13572138, 0.09140261, 0.10667330], [4.61539260, 2.19418839, 12.64194608],
            [-42.66032258, 4.84296658, -60.58204836], [132.13108234, -14.18503333, 110.36276771],
            [-152.94239396, 4.27729857, -89.90310912], [59.28637943, 2.82956604, 27.34824973],
        ]
        let sum = coefficients.reversed().reduce(SIMD3<Float>.zero) { $0 * x + $1 }
        return sum.clamped(lowerBound: .zero, upperBound: .one) * 255
    }
}
