internal import Foundation
import ImageText
public import Wardrobe

/// The results of the ablation: mean and deviation of every measure over seeds.
public struct AblationTable: Sendable {
    /// A measure over seeds.
    public struct Measure: Sendable, Hashable, Codable {
        /// The mean, from 0 to 1.
        public var mean: Double
        /// The sample standard deviation; nil for a single seed.
        public var deviation: Double?
    }

    /// The measures of one system at one stage in one language.
    public struct Line: Sendable, Hashable, Codable {
        /// The system's name.
        public var system: String
        /// The name of the stage that orders scenes.
        public var stage: String
        /// The language.
        public var language: WardrobeLanguage
        /// The number of runs in the mean.
        public var runs: Int
        /// The measures by their names on disk.
        public var measures: [String: Measure]
    }

    /// The measures in order, as names on disk and headings.
    public static let columns = [
        ("swap", "swap"), ("rare_p1", "rare P@1"), ("rare_p10", "rare P@10"),
        ("rare_mirrored10", "mirrored"), ("small_p1", "small P@1"), ("small_p10", "small P@10"),
        ("all_r1", "all R@1"), ("all_r5", "R@5"), ("all_r10", "R@10"),
    ]

    /// The lines, grouped by system.
    public let lines: [Line]

    /// Collects the available results of an experiment.
    ///
    /// - Parameters:
    ///   - ablation: the experiment.
    ///   - seeds: the seeds to average; seeds without results are left out.
    /// - Throws: `DecodingError` if a file of scores is damaged.
    public init(_ ablation: WardrobeAblation, seeds: [Int]) throws {
        var lines: [Line] = []
        for system in WardrobeSystem.allCases {
            let runs = try seeds.compactMap { try ablation.results(system, seed: $0) }
            for language in WardrobeLanguage.allCases {
                for stage in system.stages {
                    let scores = runs.compactMap { rows in
                        rows.first { $0.language == language && $0.stage == stage.name }?.scores
                    }
                    guard !scores.isEmpty else { continue }
                    lines.append(
                        Line(
                            system: system.rawValue, stage: stage.name, language: language,
                            runs: scores.count, measures: try Self.measures(scores)))
                }
            }
        }
        self.lines = lines
    }

    private static func measures(_ scores: [WardrobeScores]) throws -> [String: Measure] {
        let encoder = JSONEncoder()
        let decoder = JSONDecoder()
        let values = try scores.map {
            try decoder.decode([String: Double].self, from: encoder.encode($0))
        }
        return Dictionary(
            uniqueKeysWithValues: (values.first ?? [:]).keys.map { name in
                (name, measure(values.compactMap { $0[name] }))
            })
    }

    private static func measure(_ values: [Double]) -> Measure {
        let mean = values.reduce(0, +) / Double(values.count)
        guard values.count > 1 else { return Measure(mean: mean, deviation: nil) }
        let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
        return Measure(mean: mean, deviation: (squares / Double(values.count - 1)).squareRoot())
    }

    /// Returns the table of one language in Markdown, in percent, with deviations if known.
    public func markdown(language: WardrobeLanguage) -> String {
        let heading = ["system", "order", "runs"] + Self.columns.map(\.1)
        var rows = [heading, heading.map { _ in "---" }]
        var last = ""
        for line in lines where line.language == language {
            let system = WardrobeSystem(rawValue: line.system)?.title ?? line.system
            let cells = Self.columns.map { name, _ in
                line.measures[name].map(Self.text) ?? "–"
            }
            rows.append([system == last ? "" : system, line.stage, "\(line.runs)"] + cells)
            last = system
        }
        return rows.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    private static func text(_ measure: Measure) -> String {
        let mean = String(format: "%.1f", measure.mean * 100)
        return measure.deviation.map { mean + String(format: " ± %.1f", $0 * 100) } ?? mean
    }
}
