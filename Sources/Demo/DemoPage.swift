import Foundation
import ImageText
import Storage
import SystemPackage
import Wardrobe

/// The page of the demonstration, which shows both orders of every question with their images.
struct DemoPage {
    let gallery: DemoScenes
    let answers: [DemoAnswer]
    let photos: DemoPhotoSection

    private static let side = 160

    /// Writes the page, and beside it small copies of the photographs that it shows.
    func write(to path: FilePath) throws {
        var html = """
            <!doctype html><html lang="en"><meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <title>Before and after re-ranking</title><style>\(Self.css)</style><main>
            <h1>Before and after re-ranking</h1>
            <p>\(gallery.scenes.count) drawn scenes, none of them seen in training. Two towers
            recall by one vector per image; the fusion encoder then reads the question together with
            each of the best candidates.
            <span class="key"><b class="right">✓</b> right, <b class="mirrored">⇄</b> the colours
            the other way round, <b class="wrong">✗</b> something else.</span></p>
            """
        for answer in answers { html += try section(answer) }
        html += try photos.write(to: path.removingLastComponent()) + "</main></html>\n"
        try AtomicFile.write(html.utf8, to: path)
    }

    private func section(_ answer: DemoAnswer) throws -> String {
        let question = answer.question
        let kept =
            question.mirrored.isEmpty
            ? "" : ", \(question.mirrored.count) with the colours the other way round"
        return """
            <section><h2>『\(Markup.escape(question.text))』</h2>
            <p>\(Markup.escape(question.note)); the gallery holds \(question.right.count) right \
            answers\(kept).</p>
            \(try order("Towers alone", answer.before))
            \(try order("Re-ranked", answer.after))</section>
            """
    }

    private func order(_ title: String, _ order: DemoAnswer.Order) throws -> String {
        let figures = try order.places.enumerated().map { rank, place in
            let moved =
                place.recallRank == rank + 1 || place.matchProbability == nil
                ? "" : "<i>from \(place.recallRank)</i>"
            return """
                <figure class="\(Self.name(place.verdict))"><img alt="scene \(place.scene)" \
                src="data:image/jpeg;base64,\(try image(place.scene))">\
                <figcaption>\(rank + 1) <b>\(place.verdict.mark)</b>\(moved)</figcaption></figure>
                """
        }
        return """
            <h3>\(title): \(order.count.right) of \(order.places.count) right</h3>
            <div class="row">\(figures.joined())</div>
            """
    }

    private func image(_ scene: Int) throws -> String {
        let image = try gallery.scenes[scene].image(side: Self.side)
        return Data(try JPEGEncoder.encode(image, named: "scene \(scene)")).base64EncodedString()
    }

    private static func name(_ verdict: DemoAnswer.Verdict) -> String {
        switch verdict {
        case .right: "right"
        case .mirrored: "mirrored"
        case .wrong: "wrong"
        }
    }

    private static let css = """
        :root{color-scheme:light dark;--line:#d5d9de;--soft:#5b6470;--right:#197a43;--mirror:#b3261e;
        --wrong:#8a939e}
        @media(prefers-color-scheme:dark){:root{--line:#2b313a;--soft:#a3acb8;--right:#5ccb8b;
        --mirror:#ff8a80;--wrong:#7b8490}}
        body{margin:0;font:15px/1.5 system-ui,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:28px 20px 48px}
        h1{font-size:28px;margin:0 0 8px}h2{font-size:22px;margin:0 0 4px}
        h3{font-size:15px;margin:14px 0 6px}p{margin:0 0 8px;color:var(--soft)}
        section{border-top:1px solid var(--line);margin-top:28px;padding-top:20px}
        .row{display:grid;grid-template-columns:repeat(10,minmax(0,1fr));gap:8px}
        section+h1{margin-top:56px}
        .row.photos{grid-template-columns:repeat(5,minmax(0,1fr))}
        .photos img{aspect-ratio:4/3;object-fit:cover}
        figure{margin:0}img{display:block;width:100%;aspect-ratio:1;border-radius:6px;
        outline:3px solid transparent;outline-offset:-1px}
        .right img{outline-color:var(--right)}.mirrored img{outline-color:var(--mirror)}
        figcaption{font-size:12px;color:var(--soft)}figcaption i{float:right;font-style:normal}
        .right b,b.right{color:var(--right)}.mirrored b,b.mirrored{color:var(--mirror)}
        .wrong b,b.wrong{color:var(--wrong)}
        @media(max-width:700px){.row{grid-template-columns:repeat(5,minmax(0,1fr))}}
        """
}
