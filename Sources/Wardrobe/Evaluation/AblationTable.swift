internal import Foundation
import ImageText

/// The ablation's outcome: mean and spread over seeds of every measure.
public struct AblationTable: Sendable {
    /// A mean over seeds.
    public struct Measure: Sendable, Hashable, Codable {
        /// The mean, a share of 1.
        public var mean: Double
        /// The sample's standard deviation; nil for one seed.
        public var deviation: Double?
    }

    /// A line: one system at one stage in one language.
    public struct Line: Sendable, Hashable, Codable {
        /// The system's name.
        public var system: String
        /// How it is ordered.
        public var stage: String
        /// The language.
        public var language: WardrobeLanguage
        /// Runs that it is the mean of.
        public var runs: Int
        /// The measures by their names on disk.
        public var measures: [String: Measure]
    }

    /// The measures in order: name on disk and heading.
    public static let columns = [
        ("swap", "swap"), ("rare_p1", "rare P@1"), ("rare_p10", "rare P@10"),
        ("rare_mirrored10", "mirrored"), ("small_p1", "small P@1"), ("small_p10", "small P@10"),
        ("all_r1", "all R@1"), ("all_r5", "R@5"), ("all_r10", "R@10"),
    ]

    /// The lines, system by system.
    public let lines: [Line]

    /// Gathers what there is of an experiment.
    ///
    /// - Throws: `DecodingError` where a file of scores is damaged.
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

    /// The table of one language in Markdown, in percent, with the deviation where there is one.
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
