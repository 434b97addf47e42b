import ALBEF
import ArgumentParser
import ImageText
import SystemPackage

/// The vocabulary that `albef models create` gives a text tower.
struct TowerVocabulary {
    /// The vocabulary's file.
    let tokenizer: TokenizerFiles
    /// How the embedding of each token starts; nil for the text tower's own vocabulary.
    let words: StartingWords?
    private let file: FilePath
    private let count: Int
    private let textTower: FilePath

    /// Reads a vocabulary and compares it with the one beside a text tower.
    ///
    /// - Throws: `VocabularyError` or `GlossError` that names file and line.
    init(_ file: FilePath, glosses: FilePath?, textTower: FilePath) throws {
        let new = try Vocabulary(contentsOf: file)
        tokenizer = TokenizerFiles(vocabulary: file)
        (self.file, count, self.textTower) = (file, new.count, textTower)
        let meanings = try glosses.map { try Glosses(contentsOf: $0) }
        guard let own = TowerModel.tokenizer(beside: textTower)?.vocabulary else {
            if glosses != nil { throw Self.noWordPieces(textTower) }
            words = nil
            return
        }
        let old = try Vocabulary(contentsOf: own)
        let change = try VocabularyChange(from: old, to: new, glosses: meanings)
        let isOwn =
            old.count == new.count
            && change.origins == new.tokens.indices.map { .same($0) }
        let rows = change.origins.map { origin -> StartingWords.Row in
            switch origin {
            case .same(let id): .kept(id)
            case .gloss(let ids): .mean(ids)
            case .none: .new
            }
        }
        // The named file may be a copy of the tower's own vocabulary.
        words = isOwn ? nil : StartingWords(rows: rows, paddingToken: new.special.padding)
    }

    /// Checks the size of a vocabulary that passes for the text tower's own because none lies
    /// beside the tower.
    func check(_ configuration: ALBEFConfiguration) throws {
        guard words == nil, configuration.text.vocabularySize != count,
            TowerModel.tokenizer(beside: textTower) == nil
        else { return }
        throw Self.noWordPieces(textTower, replacedBy: "\(file), of \(count) tokens,")
    }

    /// Returns the error for a text tower whose embeddings cannot be assigned to tokens.
    private static func noWordPieces(
        _ textTower: FilePath, replacedBy file: String = "--glosses"
    ) -> ValidationError {
        let others = TowerModel.tokenizer(beside: textTower, isWordPiece: false)?.paths
            .compactMap { $0.lastComponent?.string }
        let found = others.map { ", only \($0.joined(separator: " and "))" } ?? ""
        return ValidationError(
            "\(textTower) has no vocab.txt beside it\(found): \(file) cannot be used, since only a"
                + " WordPiece vocabulary assigns a token to each word embedding.")
    }
}
