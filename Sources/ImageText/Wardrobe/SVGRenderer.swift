internal import CImaging

/// Renders the SVG that the project itself draws, by libvips' own loader (librsvg).
///
/// Files from elsewhere are not read: ``ImageLoader`` knows no SVG, which can name other files.
enum SVGRenderer {
    /// The picture of a document, at the size in pixels that it says.
    ///
    /// - Throws: ``ImageError`` where this libvips has no SVG.
    static func render(_ document: String, named name: String) throws(ImageError) -> RGBImage {
        try Vips.decode(
            Array(document.utf8), IMAGING_VIPS_SVG, name: "SVG", maximumPixels: 1 << 24,
            profiles: .ignored, source: name)
    }
}

extension WardrobeScene {
    /// The scene as SVG.
    ///
    /// - Parameter side: pixels a side.
    public func svg(side: Int) -> String { SceneDrawing.svg(of: self, side: side) }

    /// The scene as a picture; its pixels may differ from one renderer's version to another's.
    ///
    /// - Parameter side: pixels a side.
    /// - Throws: ``ImageError`` where libvips is missing or has no SVG.
    public func picture(side: Int) throws(ImageError) -> RGBImage {
        try SVGRenderer.render(svg(side: side), named: "a scene")
    }
}
