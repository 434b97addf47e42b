import Storage
import Foundation
import SystemPackage
import Torch

/// What a run trains: each part of the model, where its weights come from, and its learning rates.
public struct TrainedParts: Sendable, Hashable, Codable {
    /// What becomes of some parameters.
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// They train.
        case trained
        /// They stay as they are, because `optimizer.frozen` says so.
        case frozen
        /// No objective of the run depends on them.
        case unused
    }

    /// The parameters of a part that have the same origin and the same state.
    public struct Row: Sendable, Hashable, Codable {
        /// The part.
        public let part: ModelPart
        /// How many numbers these parameters hold.
        public let parameters: Int
        /// Whether they were made at random, rather than taken from another model.
        public let isNew: Bool
        /// What becomes of them.
        public let state: State
        /// The lowest of their learning rates at the schedule's peak; nil where they do not train.
        public let lowestRate: Double?
        /// The highest of their learning rates at the schedule's peak; nil where they do not train.
        public let highestRate: Double?

        enum CodingKeys: String, CodingKey {
            case part, parameters
            case isNew = "is_new"
            case state
            case lowestRate = "lowest_rate"
            case highestRate = "highest_rate"
        }
    }

    /// The parts in the order of ``ModelPart``, what was taken before what is new.
    public let rows: [Row]

    /// How many numbers have a state.
    public func count(_ state: State) -> Int {
        rows.filter { $0.state == state }.reduce(0) { $0 + $1.parameters }
    }

    /// Sums up a plan.
    ///
    /// - Parameter peak: the optimizer's learning rate at its peak.
    init(_ plan: ParameterPlan, peak: Double) {
        rows = ModelPart.allCases.flatMap { part in
            [false, true].flatMap { isNew in
                State.allCases.compactMap { state in
                    let entries = plan.entries.filter {
                        $0.part == part && $0.isNew == isNew && $0.state == state
                    }
                    guard !entries.isEmpty else { return nil }
                    let rates = state == .trained ? entries.map { $0.rateFactor * peak } : []
                    return Row(
                        part: part, parameters: entries.reduce(0) { $0 + $1.count }, isNew: isNew,
                        state: state, lowestRate: rates.min(), highestRate: rates.max())
                }
            }
        }
    }

    private static let fileName = "parts.json"

    /// Writes the parts down in a run's directory.
    func write(to directory: FilePath) throws {
        try AtomicFile.write(
            RunJSON.encoder(.prettyPrinted).encode(self), to: directory.appending(Self.fileName))
    }
}

extension TrainedParts {
    /// The parts as a table for people, and how many parameters train; without a line feed at the
    /// end.
    public var text: String {
        let lines =
            [["part", "parameters", "weights", "learning rate"]]
            + rows.map {
                [
                    $0.part.words, NumberText.count($0.parameters), $0.isNew ? "new" : "taken",
                    $0.rateWords,
                ]
            }
        let widths = (0..<4).map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { line in
            line.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                // Numbers stand below each other, and the last column ends where it ends.
                return column == 1 ? space + cell : column == 3 ? cell : cell + space
            }.joined(separator: "  ")
        }
        return (table + [countWords]).joined(separator: "\n")
    }

    /// How many parameters train, and how many do not.
    private var countWords: String {
        let (frozen, unused) = (count(.frozen), count(.unused))
        var words = ["\(NumberText.count(count(.trained))) parameters train"]
        if frozen > 0 { words.append("\(NumberText.count(frozen)) are frozen") }
        if unused > 0 {
            words.append("\(NumberText.count(unused)) are not used by these objectives")
        }
        return words.joined(separator: ", ")
    }
}

extension TrainedParts.Row {
    fileprivate var rateWords: String {
        switch (state, lowestRate, highestRate) {
        case (.frozen, _, _): return "frozen"
        case (.trained, let lowest?, let highest?):
            let (low, high) = (Self.rate(lowest), Self.rate(highest))
            return low == high ? high : "\(low) to \(high)"
        default: return "not used"
        }
    }

    /// A learning rate to three figures: `0.0001`, `2.5e-05`.
    private static func rate(_ value: Double) -> String { String(format: "%.3g", value) }
}
