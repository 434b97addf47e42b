import ALBEFTraining
import Storage

/// The sample retrievals as HTML: each query with its results, by recall and after re-ranking.
struct SampleSection {
    /// The maximum number of queries on a page.
    static let maximumSamples = 40
    /// The maximum number of images per query and order.
    static let maximumResults = 8

    let samples: [SampleRetrieval]

    init(_ samples: [SampleRetrieval]) { self.samples = Array(samples.prefix(Self.maximumSamples)) }

    /// The files of the images shown, with repetitions.
    var paths: [String] {
        samples.flatMap { sample in
            [sample.rightPath] + Self.byRecall(sample).map(\.path)
                + Self.byRank(sample).map(\.path)
        }
    }

    func html(_ thumbnails: Thumbnails) -> String {
        samples.map { sample in
            var html = "<article class=\"sample\">\n<header>"
            html += Self.image(sample.rightPath, thumbnails)
            html += "<div><p class=\"query\">\(Markup.escape(sample.query))</p>"
            html += "<p class=\"places\">\(Self.places(sample))</p></div></header>\n"
            let reranked = Self.byRank(sample)
            html += Self.row("By recall", Self.byRecall(sample), thumbnails) { result in
                (result.recallRank, NumberText.fixed(result.similarity, 3))
            }
            if !reranked.isEmpty {
                html += Self.row("Re-ranked", reranked, thumbnails) { result in
                    let match = result.matchProbability.map { NumberText.fixed($0 * 100, 1) + "%" }
                    return (result.rank, match ?? "")
                }
            }
            return html + "</article>\n"
        }.joined()
    }

    private static func byRecall(_ sample: SampleRetrieval) -> [SampleRetrieval.Result] {
        Array(sample.results.sorted { $0.recallRank < $1.recallRank }.prefix(maximumResults))
    }

    private static func byRank(_ sample: SampleRetrieval) -> [SampleRetrieval.Result] {
        Array(
            sample.results.filter { $0.matchProbability != nil }
                .sorted { $0.rank < $1.rank }.prefix(maximumResults))
    }

    /// Returns the ranks of the right image, and whether re-ranking improved them.
    private static func places(_ sample: SampleRetrieval) -> String {
        let recall = "right image: place <b>\(NumberText.count(sample.recallRank))</b> by recall"
        guard let place = sample.rerankedRank else { return recall }
        let judgement =
            place < sample.recallRank ? "better" : place > sample.recallRank ? "worse" : "same"
        return recall
            + ", <b class=\"\(judgement)\">\(NumberText.count(place))</b> after re-ranking"
    }

    private static func row(
        _ name: String, _ results: [SampleRetrieval.Result], _ thumbnails: Thumbnails,
        _ caption: (SampleRetrieval.Result) -> (place: Int, score: String)
    ) -> String {
        var html = "<h4>\(name)</h4><div class=\"found\">\n"
        for result in results {
            let (place, score) = caption(result)
            html += "<figure class=\"hit\(result.isRight ? " right" : "")\">"
            html += image(result.path, thumbnails)
            html += "<figcaption><b>\(NumberText.count(place))</b>"
            if result.isRight { html += "<span class=\"check\">✓</span>" }
            html += "<span>\(score)</span></figcaption></figure>\n"
        }
        return html + "</div>\n"
    }

    /// Returns the image, or the name of its file if it could not be read.
    private static func image(_ path: String, _ thumbnails: Thumbnails) -> String {
        let label = Markup.escape(path)
        guard let name = thumbnails.classes[path] else {
            let file = path.split(separator: "/").last.map(String.init) ?? path
            return "<span class=\"thumb none\" title=\"\(label)\">\(Markup.escape(file))</span>"
        }
        return "<span class=\"thumb \(name)\" role=\"img\" aria-label=\"\(label)\" "
            + "title=\"\(label)\"></span>"
    }
}
