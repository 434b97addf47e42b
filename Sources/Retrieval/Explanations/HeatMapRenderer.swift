internal import Foundation
public import ImageText

/// Lays heat maps over images.
///
/// As in the original's visualisation, hot places take a colour from blue to red and the image
/// shows through where it is cool: `(1 - a) · image + a · colour` with `a` the heat to the power of
/// ``exponent``. Unlike there something of the image always shows.
///
/// A value without state: one may be used from many threads.
public struct HeatMapRenderer: Sendable, Hashable {
    /// How late colour sets in, early below 1; the original's 0.7 by default.
    public var exponent: Float
    /// How much of the hottest place is colour, from 0 to 1; 0.75 by default.
    public var opacity: Float

    /// A renderer; the defaults look good on photos.
    public init(exponent: Float = 0.7, opacity: Float = 0.75) {
        precondition(exponent > 0, "an exponent of \(exponent)")
        precondition((0...1).contains(opacity), "an opacity of \(opacity)")
        self.exponent = exponent
        self.opacity = opacity
    }

    /// The image with the map over it, at the image's size.
    ///
    /// The hottest place of a map is always red, however little heat that is; `strength` lets maps that
    /// weigh less fade, see ``Explanation/strength(of:)``.
    ///
    /// - Parameters:
    ///   - map: `[h, w]`, stretched over the whole image as the model's input is.
    ///   - image: `[H, W, 3]`.
    ///   - strength: what ``opacity`` is multiplied by, from 0 to 1.
    public func overlay(
        _ map: HeatMap, on image: RGBImage, strength: Float = 1
    ) -> RGBImage {
        let heat = map.spread(width: image.width, height: image.height)
        // Comparisons with not-a-number are false, and such numbers become 0.
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

    /// The same as a PNG file.
    ///
    /// - Parameter name: what errors call the image.
    /// - Throws: `ImageError` where libvips is missing or has no PNG.
    public func png(
        _ map: HeatMap, on image: RGBImage, strength: Float = 1,
        named name: String = "a heat map"
    ) throws(ImageError) -> [UInt8] {
        try PNGEncoder.encode(overlay(map, on: image, strength: strength), named: name)
    }

    /// How much of a pixel is colour at a heat in 0...255, and which colour.
    private func level(
        _ heat: Int, strength: Float
    ) -> (share: Float, colour: SIMD3<Float>) {
        let value = Float(heat) / 255
        let share = strength * opacity * pow(value, exponent)
        return (share > 0 ? min(share, 1) : 0, Self.colour(value))
    }

    /// Turbo (Mikhailov, 2019), blue to red as the original's jet, but evenly: a polynomial fit.
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
