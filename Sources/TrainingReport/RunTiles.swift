import ALBEF
import ALBEFTraining
import Storage

/// The headline numbers of a run as HTML tiles.
struct RunTiles {
    let summary: RunSummary

    private struct Tile {
        let label: String
        let value: String
        var detail = ""
    }

    func html() -> String {
        let html = tiles().map { tile in
            "<div class=\"tile\"><span class=\"label\">\(tile.label)</span>"
                + "<span class=\"value\">\(tile.value)</span>"
                + "<span class=\"detail\">\(tile.detail)</span></div>\n"
        }
        return "<div class=\"tiles\">\n\(html.joined())</div>\n"
    }

    private func tiles() -> [Tile] {
        var tiles = [steps()]
        if let loss = summary.losses.total {
            let parts = [
                ("itc", summary.losses.itc), ("itm", summary.losses.itm),
                ("mlm", summary.losses.mlm),
            ].compactMap { name, value in
                value.map { "<span>\(name) \(NumberText.loss($0))</span>" }
            }
            tiles.append(
                Tile(
                    label: "Loss", value: NumberText.loss(loss),
                    detail: parts.joined(separator: " · ")))
        }
        tiles += summary.best.reversed().map(best)
        if let task = summary.bestTask {
            tiles.append(
                Tile(
                    label: "Best accuracy",
                    value: NumberText.fixed(task.value, 1) + " <small>%</small>",
                    detail: "<span>\(Markup.escape(task.split)), step"
                        + " \(NumberText.count(task.step))</span> · <span>standard error"
                        + " \(NumberText.fixed(task.standardError, 1))</span>"))
        }
        if let pairs = summary.pairsSeen {
            tiles.append(
                Tile(label: "Pairs seen", value: NumberText.count(pairs), detail: "image-text"))
        }
        if let seconds = summary.seconds {
            let left = summary.state == .finished ? nil : summary.secondsLeft
            tiles.append(
                Tile(
                    label: "Training time", value: Self.number(NumberText.time(seconds)),
                    detail: left.map { "\(NumberText.time($0)) left" } ?? ""))
        }
        if let rate = summary.pairsPerSecond {
            tiles.append(
                Tile(
                    label: "Speed", value: NumberText.rate(rate) + " <small>pairs/s</small>",
                    detail: "median"))
        }
        if let peak = summary.peakMegabytes {
            tiles.append(
                Tile(
                    label: "Memory", value: Self.number(NumberText.bytes(peak * 1e6)),
                    detail: "highest at any step"))
        }
        return tiles
    }

    private func steps() -> Tile {
        var parts: [String] = []
        if let total = summary.totalSteps { parts.append("of \(NumberText.count(total))") }
        if let epoch = summary.epoch {
            parts.append("epoch \(epoch)" + (summary.totalEpochs.map { " of \($0)" } ?? ""))
        }
        return Tile(
            label: "Steps", value: NumberText.count(summary.step),
            detail: parts.joined(separator: " · "))
    }

    private func best(_ best: RunSummary.Best) -> Tile {
        let stage = best.stage == "dual" ? "dual" : "re-ranked"
        let scores = best.scores
        return Tile(
            label: "Best mean recall, \(stage)",
            value: NumberText.fixed(scores.mean, 1) + " <small>%</small>",
            detail:
                "<span>\(Markup.escape(best.split)), step \(NumberText.count(best.step))</span> · "
                + "<span>R@1 T→I \(NumberText.fixed(scores.textToImage.r1, 1)),</span> "
                + "<span>I→T \(NumberText.fixed(scores.imageToText.r1, 1))</span>")
    }

    /// Returns a text of numbers and units with the units in small type.
    private static func number(_ text: String) -> String {
        text.split(separator: " ").map { word in
            word.allSatisfy(\.isLetter) ? "<small>\(word)</small>" : String(word)
        }.joined(separator: " ")
    }
}
