import ALBEF
import ArgumentParser
import ImageText
import SystemPackage

/// The vocabulary that `albef models create` gives a text tower.
struct TowerVocabulary {
    /// The vocabulary's file.
    let tokenizer: TokenizerFiles
    /// What each of its tokens is made of; nil if it is the text tower's own vocabulary.
    let words: StartingWords?
    private let file: FilePath
    private let count: Int
    private let textTower: FilePath

    /// Reads a vocabulary, and compares it with the one beside a text tower.
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
        // A tower's own vocabulary may be given by name, as where none lies beside it.
        words = isOwn ? nil : StartingWords(rows: rows, paddingToken: new.special.padding)
    }

    /// Checks a vocabulary that was taken for the text tower's own, as none lies beside it.
    func check(_ configuration: ALBEFConfiguration) throws {
        guard words == nil, configuration.text.vocabularySize != count,
            TowerModel.tokenizer(beside: textTower) == nil
        else { return }
        throw Self.noWordPieces(textTower, replacedBy: "\(file), of \(count) tokens,")
    }

    /// That nothing says which token each row of a text tower is.
    private static func noWordPieces(
        _ textTower: FilePath, replacedBy file: String = "--glosses"
    ) -> ValidationError {
        let others = TowerModel.tokenizer(beside: textTower, isWordPiece: false)?.paths
            .compactMap { $0.lastComponent?.string }
        let found = others.map { ", only \($0.joined(separator: " and "))" } ?? ""
        return ValidationError(
            "\(textTower) has no vocab.txt beside it\(found): \(file) cannot take its place, since only"
                + " a WordPiece vocabulary says which token each word embedding is.")
    }
}
