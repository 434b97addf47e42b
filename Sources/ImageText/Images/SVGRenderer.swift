internal import CImaging

/// Renders the SVG that the project itself draws, by libvips' own loader (librsvg).
///
/// Files from elsewhere are not read: ``ImageLoader`` knows no SVG, which can name other files.
package enum SVGRenderer {
    /// The image of a document, at the size in pixels that it says.
    ///
    /// - Throws: ``ImageError`` where this libvips has no SVG.
    package static func render(_ document: String, named name: String) throws(ImageError)
        -> RGBImage
    {
        try Vips.decode(
            Array(document.utf8), IMAGING_VIPS_SVG, name: "SVG", maximumPixels: 1 << 24,
            profiles: .ignored, source: name)
    }
}
