import ALBEF
import ALBEFTraining
import CommandSupport
import Foundation
import ImageText

/// The results of a choice benchmark as text: one row per kind, the towers beside the fusion
/// encoder.
struct ChoiceTable {
    private let metrics: ChoiceMetrics
    private let images: Int
    private let ranking: RankingScore?

    /// - Parameters:
    ///   - images: how many images were encoded.
    ///   - ranking: the score that orders the fusion encoder's answers; nil if only the towers were
    ///     measured.
    init(_ metrics: ChoiceMetrics, images: Int, ranking: RankingScore?) {
        self.metrics = metrics
        self.images = images
        self.ranking = ranking
    }

    var text: String {
        let counted = metrics.kinds.filter(metrics.counts)
        var rows = counted.map { row(named: $0.name.displayed, $0) }
        if let mean = metrics.meanOfKinds {
            rows.append(row(named: "mean of \(metrics.countedKinds) kinds", mean))
        }
        rows.append(row(named: "mean of items", metrics.meanOfItems))
        var header = ["", "items", "chance", "towers"]
        if let ranking { header += ["fusion (\(ranking.rawValue))", "gain"] }
        var lines = [
            "right in percent ± standard error, \(metrics.meanOfItems.items) items and \(images) images"
        ]
        lines += Columns.aligned([header] + rows)
        let small = metrics.kinds.count - counted.count
        if small > 0 {
            let items = metrics.meanOfItems.items - counted.reduce(0) { $0 + $1.items }
            lines.append(
                "\(small) kinds of fewer than \(metrics.minimumKindSize) items, \(items) in all,"
                    + " count only in the mean of items")
        }
        return lines.joined(separator: "\n")
    }

    private func row(named name: String, _ row: ChoiceMetrics.Row) -> [String] {
        var cells = [
            name, "\(row.items)", String(format: "%.1f", row.chance), Columns.share(row.towers),
        ]
        if ranking != nil {
            cells.append(row.fusion.map { Columns.share($0) } ?? "")
            cells.append(row.gain.map { Columns.share($0, sign: "+") } ?? "")
        }
        return cells
    }
}

/// Winoground's scores as text: one row per tag, the towers beside the fusion encoder.
struct PairsTable {
    private let metrics: PairMetrics
    private let images: Int
    private let ranking: RankingScore?

    /// - Parameters:
    ///   - images: how many images were encoded.
    ///   - ranking: the score that orders the fusion encoder's answers; nil if only the towers were
    ///     measured.
    init(_ metrics: PairMetrics, images: Int, ranking: RankingScore?) {
        self.metrics = metrics
        self.images = images
        self.ranking = ranking
    }

    var text: String {
        let scores = ["text", "image", "group"]
        var header = [metrics.tag?.rawValue ?? "", "pairs"] + scores.map { "towers: \($0)" }
        if ranking != nil { header += scores.map { "fusion: \($0)" } }
        let chance = [PairMetrics.chance.text, PairMetrics.chance.image, PairMetrics.chance.group]
            .map { String(format: "%.1f       ", $0) }
        var rows = metrics.tags.map { row(named: $0.name.displayed, $0) }
        rows.append(row(named: "all", metrics.all))
        rows.append(["chance", ""] + chance + (ranking == nil ? [] : chance))
        let first =
            "right in percent ± standard error, \(metrics.all.items) pairs and \(images) images"
            + (ranking.map { ", fusion by \($0.rawValue)" } ?? "")
        return ([first] + Columns.aligned([header] + rows)).joined(separator: "\n")
    }

    private func row(named name: String, _ row: PairMetrics.Row) -> [String] {
        func cells(_ shares: PairMetrics.Shares) -> [String] {
            [shares.text, shares.image, shares.group].map { Columns.share($0) }
        }
        return [name, "\(row.items)"] + cells(row.towers) + (row.fusion.map(cells) ?? [])
    }
}
