internal import CImaging

/// Renders SVG documents that the package itself creates, through libvips (librsvg).
///
/// ``ImageLoader`` does not read SVG, because an SVG file can refer to other files.
package enum SVGRenderer {
    /// Renders a document at the size in pixels that it declares.
    ///
    /// - Throws: ``ImageError`` if libvips is missing or cannot read SVG.
    package static func render(_ document: String, named name: String) throws(ImageError)
        -> RGBImage
    {
        try Vips.decode(
            Array(document.utf8), IMAGING_VIPS_SVG, name: "SVG", maximumPixels: 1 << 24,
            profiles: .ignored, source: name)
    }
}
