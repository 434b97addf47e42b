import SystemPackage
import Torch

/// The vocabulary of a new model, if it is not that of the text tower.
public struct StartingWords: Sendable, Hashable {
    /// The source of one token's embedding.
    public enum Row: Sendable, Hashable {
        /// The tower's row of this index, unchanged.
        case kept(Int)
        /// The mean of one or more of the tower's rows: those of the token's gloss.
        case mean([Int])
        /// The mean of all rows of the tower, plus noise of a tenth of their standard deviation.
        case new
    }

    /// The source of each token's embedding, in the order of the vocabulary.
    public var rows: [Row]
    /// The index of the token that pads a text to the length of its batch.
    public var paddingToken: Int

    /// Creates a vocabulary.
    ///
    /// - Parameters:
    ///   - rows: the source of each token's embedding, in the order of the vocabulary.
    ///   - paddingToken: the index of the padding token.
    public init(rows: [Row], paddingToken: Int) {
        self.rows = rows
        self.paddingToken = paddingToken
    }

    /// A text that counts the rows of each source.
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
            + " new"
    }

    /// Checks the indices of rows against a tower of `rowCount` word embeddings.
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
                        "has \(rowCount) word embeddings, but token \(token) refers to none or to"
                            + " others"
                    )
                )
            }
        }
    }

    /// Returns the embeddings `[W, …]` of the new vocabulary.
    ///
    /// - Parameters:
    ///   - table: the tower's embeddings `[V, …]`.
    ///   - noise: the source of noise for new rows; nil for rows without noise.
    func rows(of table: Tensor, noise: Generator?) -> Tensor {
        let sources = rows.map { row -> [Int] in
            switch row {
            case .kept(let id): [id]
            case .mean(let ids): ids
            case .new: []
            }
        }
        // One computation serves all tokens with the same number of source rows.
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
