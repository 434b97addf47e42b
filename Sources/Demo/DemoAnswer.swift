import ALBEF
import Foundation
import Retrieval
import SystemPackage

/// The results of a question, by the towers alone and re-ranked.
struct DemoAnswer {
    /// One result in an order.
    struct Place {
        let scene: Int
        let verdict: Verdict
        /// The rank by the towers alone, from 1.
        let recallRank: Int
        let matchProbability: Float?
    }

    enum Verdict {
        case right, mirrored, wrong

        var mark: String {
            switch self {
            case .right: "✓"
            case .mirrored: "⇄"
            case .wrong: "✗"
            }
        }
    }

    /// How many of the first results are right, mirrored and wrong.
    struct Count: Encodable {
        var right = 0
        var mirrored = 0
        var wrong = 0
    }

    /// The first results in one order.
    struct Order {
        let places: [Place]

        var count: Count {
            places.reduce(into: Count()) { count, place in
                switch place.verdict {
                case .right: count.right += 1
                case .mirrored: count.mirrored += 1
                case .wrong: count.wrong += 1
                }
            }
        }
    }

    static let depth = 20

    let question: DemoScenes.Question
    let before: Order
    let after: Order

    init(
        _ question: DemoScenes.Question, _ gallery: DemoScenes, _ searcher: Searcher,
        candidates: Int
    ) throws {
        func order(_ candidates: Int) throws -> Order {
            // The posterior combines the match score with recall's: see `RankingScore`.
            let results = try searcher.search(
                question.text, count: Self.depth, candidates: candidates, ranking: .posterior)
            return Order(
                places: results.compactMap { result in
                    guard let scene = gallery.scene(of: result.path) else { return nil }
                    return Place(
                        scene: scene,
                        verdict: question.right.contains(scene)
                            ? .right : question.mirrored.contains(scene) ? .mirrored : .wrong,
                        recallRank: result.recallRank, matchProbability: result.matchProbability)
                })
        }
        self.question = question
        before = try order(0)
        after = try order(candidates)
    }

    /// The first ten results of both orders, side by side.
    var text: String {
        var lines = [
            "『\(question.text)』  (\(question.note); \(question.right.count) right in the gallery"
                + (question.mirrored.isEmpty ? ")" : ", \(question.mirrored.count) mirrored)"),
            "  rank   towers alone      re-ranked",
        ]
        for (rank, (first, second)) in zip(before.places, after.places).enumerated().prefix(10) {
            lines.append(
                String(
                    format: "  %4d   %05d %@           %05d %@  (was %d)", rank + 1, first.scene,
                    first.verdict.mark, second.scene, second.verdict.mark, second.recallRank))
        }
        func total(_ count: Count) -> String {
            "\(count.right) right, \(count.mirrored) mirrored, \(count.wrong) other"
        }
        lines.append(
            "  of \(Self.depth): towers \(total(before.count)); re-ranked \(total(after.count))\n")
        return lines.joined(separator: "\n")
    }
}
