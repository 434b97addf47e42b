import SystemPackage
import Torch

/// The vocabulary of a new model, where it is not the text tower's own.
public struct StartingWords: Sendable, Hashable {
    /// What the embedding of one token is made of.
    public enum Row: Sendable, Hashable {
        /// The tower's row of this number, as it is.
        case kept(Int)
        /// The mean of some of the tower's rows, one at least: what a gloss of the token says.
        case mean([Int])
        /// The mean of all rows of the tower, plus noise of a tenth of their standard deviation.
        case new
    }

    /// One for each token, in the order of the vocabulary.
    public var rows: [Row]
    /// The number of the token that fills a row up to the length of its batch.
    public var paddingToken: Int

    /// The words of a vocabulary.
    public init(rows: [Row], paddingToken: Int) {
        self.rows = rows
        self.paddingToken = paddingToken
    }

    /// How many rows are made in each way, as text.
    public var account: String {
        var (kept, glossed) = (0, 0)
        for row in rows {
            switch row {
            case .kept: kept += 1
            case .mean: glossed += 1
            case .new: break
            }
        }
        return "\(kept) rows kept, \(glossed) made from glosses, \(rows.count - kept - glossed)"
            + " made anew"
    }

    /// Checks the numbers of rows against a tower.
    func check(rowCount: Int, _ file: FilePath) throws {
        let range = 0..<rowCount
        for (token, row) in rows.enumerated() {
            let isRight =
                switch row {
                case .kept(let id): range.contains(id)
                case .mean(let ids): !ids.isEmpty && ids.allSatisfy(range.contains)
                case .new: true
                }
            guard isRight else {
                throw ModelFileError(
                    file,
                    .option(
                        "has \(rowCount) word embeddings; the row of token \(token) asks for others"
                    )
                )
            }
        }
    }

    /// The rows `[W, …]` of the new vocabulary.
    ///
    /// - Parameters:
    ///   - table: the tower's, `[V, …]`.
    ///   - noise: what the noise of new rows is drawn from; nil: they have none.
    func rows(of table: Tensor, noise: Generator?) -> Tensor {
        let sources = rows.map { row -> [Int] in
            switch row {
            case .kept(let id): [id]
            case .mean(let ids): ids
            case .new: []
            }
        }
        // Rows that are made of equally many are made at once.
        let groups = Dictionary(grouping: sources.indices) { sources[$0].count }
            .sorted { $0.key < $1.key }
        let rest = Array(table.shape.dropFirst())
        let parts = groups.map { count, members in
            guard count > 0 else { return Self.fresh(members.count, like: table, noise: noise) }
            let taken = table.selected(0, Tensor(members.flatMap { sources[$0] }))
            return taken.reshaped([members.count, count] + rest).mean(1)
        }
        var order = [Int](repeating: 0, count: rows.count)
        for (position, token) in groups.flatMap(\.value).enumerated() { order[token] = position }
        return Tensor.concatenated(parts).selected(0, Tensor(order))
    }

    private static func fresh(_ count: Int, like table: Tensor, noise: Generator?) -> Tensor {
        let rest = Array(table.shape.dropFirst())
        let mean = table.mean(0, keepingDimensions: true)
        guard let noise else { return mean.expanded([count] + rest) }
        let difference = table - mean
        let deviation = (difference * difference).mean(0, keepingDimensions: true).sqrt()
        return mean + deviation * Tensor.normal([count] + rest, generator: noise) * 0.1
    }
}
