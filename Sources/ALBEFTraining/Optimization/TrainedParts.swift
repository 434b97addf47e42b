import Foundation
import Storage
import SystemPackage
import Torch

/// A summary of what a run trains: each part of the model, the origin of its weights and its
/// learning rates.
public struct TrainedParts: Sendable, Hashable, Codable {
    /// The state of a parameter in a run.
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// The run trains the parameter.
        case trained
        /// The run leaves the parameter unchanged, because `optimizer.frozen` selects it.
        case frozen
        /// No objective of the run depends on the parameter.
        case unused
    }

    /// The parameters of a part that have the same origin and the same state.
    public struct Row: Sendable, Hashable, Codable {
        /// The part that contains them.
        public let part: ModelPart
        /// The number of elements in these parameters.
        public let parameters: Int
        /// Whether they were randomly initialized rather than taken from another model.
        public let isNew: Bool
        /// The state of these parameters.
        public let state: State
        /// Their lowest learning rate at the schedule's peak; nil if they are not trained.
        public let lowestRate: Double?
        /// Their highest learning rate at the schedule's peak; nil if they are not trained.
        public let highestRate: Double?

        enum CodingKeys: String, CodingKey {
            case part, parameters
            case isNew = "is_new"
            case state
            case lowestRate = "lowest_rate"
            case highestRate = "highest_rate"
        }
    }

    /// The rows in the order of ``ModelPart``, those with existing weights before those with new
    /// ones.
    public let rows: [Row]

    /// Returns the number of parameter elements in a state.
    public func count(_ state: State) -> Int {
        rows.filter { $0.state == state }.reduce(0) { $0 + $1.parameters }
    }

    /// Summarizes a plan.
    ///
    /// - Parameters:
    ///   - plan: The plan of a run.
    ///   - peak: The optimizer's learning rate at its peak.
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

    /// Writes the summary into a run's directory.
    func write(to directory: FilePath) throws {
        try AtomicFile.write(
            RunJSON.encoder(.prettyPrinted).encode(self), to: directory.appending(Self.fileName))
    }
}

extension TrainedParts {
    /// A table of the parts and the number of trained parameters, without a newline at the end.
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
                // Right-align numbers, and do not pad the last column.
                return column == 1 ? space + cell : column == 3 ? cell : cell + space
            }.joined(separator: "  ")
        }
        return (table + [countWords]).joined(separator: "\n")
    }

    /// The numbers of trained, frozen and unused parameters, in words.
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

    /// Formats a learning rate with three significant digits, such as `0.0001` or `2.5e-05`.
    private static func rate(_ value: Double) -> String { String(format: "%.3g", value) }
}
