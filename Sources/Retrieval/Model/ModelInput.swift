public import ALBEF
public import ImageText
import SystemPackage

extension TextInput {
    /// Reads the tokenizer of a model directory.
    ///
    /// - Throws: `TokenizerError` or `VocabularyError` that names the file; ``ModelInputError`` if
    ///   the tokenizer does not fit the text encoder.
    public init(_ files: ModelDirectory) throws {
        let configuration = files.configuration
        let text = configuration.text
        if text.hasWordPieces {
            self.init(
                vocabulary: try Vocabulary(contentsOf: files.vocabulary),
                isUncased: text.lowercases, cleaning: Self.cleaning(configuration),
                endsWithSeparator: configuration.dialect != .albef,
                length: text.paddedLength ?? text.maximumTokens,
                isFixedLength: text.paddedLength != nil)
            return
        }
        let found = try Tokenizer.read(folder: files.path)
        var framing = found.framing
        framing.length = text.paddedLength ?? text.maximumTokens
        framing.isFixedLength = text.paddedLength != nil
        framing.padding = text.paddingToken
        // The normalizer of a tokenizer.json does what Hugging Face's CLIP wants.
        let normalizes = found.files.first?.extension == "json" && found.files.count == 1
        framing.cleaning =
            normalizes && configuration.dialect == .clip ? .none : Self.cleaning(configuration)
        guard found.tokenizer.count <= text.vocabularySize else {
            throw ModelInputError(
                files.path,
                "the tokenizer has \(found.tokenizer.count) tokens, the text encoder"
                    + " \(text.vocabularySize) word embeddings; it belongs to another model")
        }
        if let end = text.endToken, framing.end.last != end {
            throw ModelInputError(
                files.path,
                "the text encoder looks for the token \(end) at the end of texts, which the"
                    + " tokenizer ends with \(framing.end)")
        }
        self.init(tokenizer: found.tokenizer, framing: framing)
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
