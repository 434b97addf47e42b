public import ImageText
import SystemPackage

/// The preparation of a model's inputs by its configuration: from texts to token ids, and from
/// images to normalised pixels.
///
/// Search, training and evaluation share it, so that a model gets the same inputs everywhere.
public struct ModelPreprocessing: Sendable {
    /// Cleans, tokenises, frames and pads texts.
    public let text: TextInput
    /// Brings images to the model's size and range, without randomness.
    public let image: ImageTransform

    /// Creates the preparation of a model directory.
    ///
    /// - Parameters:
    ///   - files: the directory, whose tokenizer is read.
    ///   - configuration: the configuration of the loaded model; nil for that of the directory.
    /// - Throws: `TokenizerError` or `VocabularyError`, which names the file; ``ModelInputError``
    ///   if the tokenizer does not fit the text encoder.
    public init(_ files: ModelDirectory, as configuration: ALBEFConfiguration? = nil) throws {
        let configuration = configuration ?? files.configuration
        let text: TextInput
        if configuration.text.hasWordPieces {
            text = TextInput(try Vocabulary(contentsOf: files.vocabulary), configuration)
        } else {
            text = try TextInput(tokenizerOf: files, configuration)
        }
        self.init(text: text, vision: configuration.vision)
    }

    /// Creates the preparation of a model whose text encoder reads word pieces.
    public init(vocabulary: Vocabulary, configuration: ALBEFConfiguration) {
        self.init(text: TextInput(vocabulary, configuration), vision: configuration.vision)
    }

    private init(text: TextInput, vision: ALBEFConfiguration.Vision) {
        self.text = text
        image = ImageTransform(
            side: vision.imageSize, mean: SIMD3(vision.mean.map(Float.init)),
            standardDeviation: SIMD3(vision.standardDeviation.map(Float.init)),
            fit: vision.fit == .crop ? .crop : .squeeze,
            filter: vision.filter == .bilinear ? .bilinear : .bicubic)
    }
}

extension TextInput {
    fileprivate init(_ vocabulary: Vocabulary, _ configuration: ALBEFConfiguration) {
        let text = configuration.text
        self.init(
            vocabulary: vocabulary, isUncased: text.lowercases,
            cleaning: Self.cleaning(configuration),
            endsWithSeparator: configuration.dialect != .albef,
            length: text.paddedLength ?? text.maximumTokens,
            isFixedLength: text.paddedLength != nil)
    }

    fileprivate init(tokenizerOf files: ModelDirectory, _ configuration: ALBEFConfiguration) throws
    {
        let text = configuration.text
        let found = try Tokenizer.read(folder: files.path)
        var framing = found.framing
        framing.length = text.paddedLength ?? text.maximumTokens
        framing.isFixedLength = text.paddedLength != nil
        framing.padding = text.paddingToken
        // The normalizer of a tokenizer.json cleans texts as Hugging Face's CLIP requires.
        let normalizes = found.files.first?.extension == "json" && found.files.count == 1
        framing.cleaning =
            normalizes && configuration.dialect == .clip ? .none : Self.cleaning(configuration)
        guard found.tokenizer.count <= text.vocabularySize else {
            throw ModelInputError(
                files.path,
                "the tokenizer has \(found.tokenizer.count) tokens, but the text encoder has"
                    + " \(text.vocabularySize) word embeddings; the tokenizer belongs to another"
                    + " model")
        }
        if let end = text.endToken, framing.end.last != end {
            throw ModelInputError(
                files.path,
                "the text encoder expects the token \(end) at the end of texts, but the tokenizer"
                    + " ends them with \(framing.end)")
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

/// An error of preparing a model's inputs.
public struct ModelInputError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problem, in one line that starts with the model's path.
    public let description: String

    init(_ path: FilePath, _ problem: String) {
        description = "\(path): \(problem)"
    }
}
