public import ALBEF
public import ImageText
import SystemPackage

/// What a model's texts go through: cleaning, tokenizer and framing, as its directory says.
public struct TextInput: Sendable {
    /// What turns a cleaned text into ids.
    public let tokenizer: Tokenizer
    /// What happens before it, what stands around the ids, and how rows are cut and padded.
    public let framing: TextFraming

    /// Reads the tokenizer of a model directory.
    ///
    /// - Throws: `TokenizerError` or `VocabularyError` that names the file; ``ModelInputError`` if
    ///   the tokenizer does not fit the text encoder.
    public init(_ files: ModelDirectory) throws {
        let configuration = files.configuration
        let text = configuration.text
        if text.hasWordPieces {
            let vocabulary = try Vocabulary(contentsOf: files.vocabulary)
            tokenizer = .wordPiece(
                WordPieceTokenizer(vocabulary: vocabulary, isUncased: text.lowercases))
            let special = vocabulary.special
            framing = TextFraming(
                cleaning: Self.cleaning(configuration), start: [special.start],
                end: configuration.dialect == .albef ? [] : [special.separator],
                length: text.maximumTokens, isFixedLength: text.paddedLength != nil,
                padding: special.padding)
            return
        }
        let found = try Tokenizer.read(folder: files.path)
        tokenizer = found.tokenizer
        var framing = found.framing
        framing.length = text.paddedLength ?? text.maximumTokens
        framing.isFixedLength = text.paddedLength != nil
        framing.padding = text.paddingToken
        // The file's own normalizer does what Hugging Face's models want.
        let normalizes = found.files.first?.extension == "json" && found.files.count == 1
        framing.cleaning =
            normalizes && configuration.dialect == .clip ? .none : Self.cleaning(configuration)
        self.framing = framing
        guard tokenizer.count <= text.vocabularySize else {
            throw ModelInputError(
                files.path,
                "the tokenizer has \(tokenizer.count) tokens, the text encoder"
                    + " \(text.vocabularySize) word embeddings; it belongs to another model")
        }
        if let end = text.endToken, framing.end.last != end {
            throw ModelInputError(
                files.path,
                "the text encoder looks for the token \(end) at the end of texts, which the"
                    + " tokenizer ends with \(framing.end)")
        }
    }

    private static func cleaning(_ configuration: ALBEFConfiguration) -> TextCleaning {
        if let cleaning = configuration.text.cleaning {
            return TextCleaning(rawValue: cleaning.rawValue) ?? .none
        }
        return switch configuration.dialect {
        case .albef: .albef
        case .lavis, .blip: .lavis
        case .clip: configuration.text.hasWordPieces ? .none : .openCLIP
        case .siglip: .siglip
        }
    }

    /// Texts as the rows of the text encoder.
    public func batch(_ texts: [String]) -> TokenBatch { framing.batch(texts, by: tokenizer) }

    /// The token ids of a text with those that frame it.
    public func ids(of text: String) -> [Int] { framing.ids(of: text, by: tokenizer) }

    /// The words of a text; their tokens are places among ``ids(of:)``.
    public func words(of text: String) -> [TokenizedWord] { framing.words(of: text, by: tokenizer) }

    /// Whether nothing of a text is left to search for.
    func isEmpty(_ text: String) -> Bool {
        tokenizer.ids(of: framing.cleaning.clean(text), limit: 1).isEmpty
    }

    /// How much of a text the model reads.
    func reading(of text: String) -> QueryReading {
        let all = tokenizer.ids(of: framing.cleaning.unlimited(text))
        let read = tokenizer.ids(of: framing.cleaning.clean(text), limit: framing.room)
        let unknown = tokenizer.unknown
        return QueryReading(
            isCut: read.count < all.count,
            isUnknown: !read.isEmpty && read.allSatisfy { $0 == unknown })
    }
}

/// A model whose inputs cannot be prepared.
public struct ModelInputError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in one line that starts with the model's path.
    public let description: String

    init(_ path: FilePath, _ problem: String) {
        description = "\(path): \(problem)"
    }
}

extension ImageTransform {
    /// What a model's images go through when nothing is random.
    public init(_ vision: ALBEFConfiguration.Vision) {
        self.init(
            side: vision.imageSize, mean: SIMD3(vision.mean.map(Float.init)),
            standardDeviation: SIMD3(vision.standardDeviation.map(Float.init)),
            fit: vision.fit == .crop ? .crop : .squeeze,
            filter: vision.filter == .bilinear ? .bilinear : .bicubic)
    }
}
