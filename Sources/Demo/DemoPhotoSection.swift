import CommandSupport
import Foundation
import ImageText
import Retrieval
import Storage
import SystemPackage

/// The part of the demonstration's page about photographs: both orders of every query, with small
/// copies of the images in a folder beside the page.
struct DemoPhotoSection {
    /// The name of the folder of small copies.
    static let folder = "thumbnails"
    /// The longer side of a copy in pixels: twice the displayed size,
    /// for dense screens.
    private static let side = 440

    let photos: DemoPhotos
    let answers: [DemoPhotoAnswer]

    /// Writes the small copies beside the page, and returns the HTML that shows them.
    func write(to directory: FilePath) throws -> String {
        let folder = directory.appending(Self.folder)
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        let loader = ImageLoader(targetSide: Self.side)
        for result in answers.flatMap({ $0.before + $0.after.results }) {
            try Task.checkCancellation()
            let path = folder.appending(Self.name(of: result))
            // The page shows the name of a photograph that was deleted after it was indexed.
            guard !FileManager.default.fileExists(atPath: path.string),
                let image = try? loader.load(result.path)
            else { continue }
            let small = ImageTransform.fitted(image, side: Self.side)
            try AtomicFile.write(JPEGEncoder.encode(small, named: result.path.string), to: path)
        }
        return "<h1>Everyday queries</h1><p>\(photos.scan.files.count) photographs.</p>"
            + answers.map(section).joined()
    }

    private func section(_ answer: DemoPhotoAnswer) -> String {
        let warnings = SearchOutput.warnings(of: answer.after).map {
            "<p>\(Markup.escape($0))</p>"
        }
        let orders =
            answer.isReranked
            ? row("Towers alone", answer.before) + row("Re-ranked", answer.after.results)
            : row("Towers", answer.before)
        return """
            <section><h2>『\(Markup.escape(answer.query.displayed))』</h2>\(warnings.joined())
            \(orders)</section>
            """
    }

    private func row(_ title: String, _ results: [SearchResult]) -> String {
        let figures = results.map { result in
            let name = Markup.escape(photos.name(of: result.path).displayed)
            let match = result.matchProbability.map { String(format: " %.0f %%", $0 * 100) } ?? ""
            let moved =
                result.matchProbability == nil || result.recallRank == result.rank
                ? "" : "<i>from \(result.recallRank)</i>"
            return """
                <figure><img alt="\(name)" title="\(name)" loading="lazy" \
                src="\(Self.folder)/\(Self.name(of: result))">\
                <figcaption>\(result.rank)\(match)\(moved)</figcaption></figure>
                """
        }
        return "<h3>\(title)</h3><div class=\"row photos\">\(figures.joined())</div>"
    }

    /// Returns the file name of a result's copy.
    ///
    /// The name depends only on the content of the image: equal images share one file, and later
    /// demonstrations reuse it.
    private static func name(of result: SearchResult) -> String {
        "\(result.sha256.prefix(16)).jpg"
    }
}
