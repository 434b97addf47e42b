internal import Foundation
public import ImageText

/// A figure that shows a whole explanation in one image: the original, the sentence's heat map, and
/// one small panel per word with its share of the heat.
public struct ExplanationFigure: Sendable {
    /// The side, in pixels, of the square into which the image is fitted; images need not be loaded
    /// at a larger size.
    public static let imageSide = 420
    private static let margin = 24
    private static let gap = 16
    private static let columns = 5

    private let explanation: Explanation
    private let explained: RGBImage
    private let renderer: HeatMapRenderer

    /// Creates a figure of an explanation.
    ///
    /// - Parameters:
    ///   - explanation: The explanation to draw.
    ///   - image: The explained image, at any size.
    ///   - renderer: Draws the heat maps over the image.
    public init(
        _ explanation: Explanation, image: RGBImage, renderer: HeatMapRenderer = HeatMapRenderer()
    ) {
        self.explanation = explanation
        explained = image
        self.renderer = renderer
    }

    /// Draws the figure.
    ///
    /// - Throws: `ImageError` if libvips is missing or cannot draw text.
    /// - Complexity: O(pixels of the figure).
    public func image() throws(ImageError) -> RGBImage {
        let (margin, gap, columns) = (Self.margin, Self.gap, Self.columns)
        let large = ImageTransform.fitted(explained, side: Self.imageSide, enlarges: true)
        let content = max(2 * large.width + gap, 560)
        let cell = (content - (columns - 1) * gap) / columns
        let small = ImageTransform.fitted(explained, side: cell, enlarges: true)
        let rowHeight = small.height + 22 + gap
        let rows = (explanation.words.count + columns - 1) / columns
        let top = margin + 62
        let grid = top + large.height + 22 + gap
        var sheet = LabelledSheet(
            width: content + 2 * margin, height: grid + rows * rowHeight - gap + margin)

        sheet.write(
            LabelledSheet.shortened(explanation.score.text, width: content / 11), x: margin,
            y: margin + 20,
            size: 20, isBold: true)
        sheet.write(numbers, x: margin, y: margin + 44, size: 14, grey: 96)
        sheet.place(large, x: margin, y: top)
        sheet.place(
            renderer.overlay(explanation.sentence, on: large), x: margin + large.width + gap, y: top
        )
        sheet.write(
            "the whole sentence", x: margin + large.width + gap, y: top + large.height + 17,
            size: 14, grey: 64)
        for (index, word) in explanation.words.enumerated() {
            let x = margin + (index % columns) * (cell + gap)
            let y = grid + (index / columns) * rowHeight
            let panel = renderer.overlay(
                word.map, on: small, strength: explanation.strength(of: word))
            sheet.place(panel, x: x, y: y)
            sheet.write(
                "\(LabelledSheet.shortened(word.text, width: cell / 9 - 5))  \(Self.percent(word.share))",
                x: x, y: y + small.height + 17, size: 14, grey: 64)
        }
        return try sheet.render(named: "the figure")
    }

    private var numbers: String {
        "match \(Self.percent(explanation.score.matchProbability))"
            + String(
                format: " · logit %.2f · cosine %.3f", explanation.score.matchLogit,
                explanation.score.similarity)
    }

    private static func percent(_ share: Float) -> String { String(format: "%.0f %%", share * 100) }
}
