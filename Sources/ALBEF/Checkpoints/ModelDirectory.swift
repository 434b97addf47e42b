import Storage
public import WeightFiles
import Crypto
public import SystemPackage
import Torch

/// A model on disk: weights, configuration and vocabulary in one directory, checked when opened.
public struct ModelDirectory: Sendable {
    /// The directory.
    public let path: FilePath
    /// Sizes and conventions.
    public let configuration: ALBEFConfiguration
    /// The weights, by the names of ``ParameterLayout``.
    public let weights: SafetensorsFile
    /// What turns texts into tokens.
    public let tokenizer: TokenizerFiles
    /// The WordPiece vocabulary: one token on each line.
    public var vocabulary: FilePath { path.appending(TokenizerFiles.wordPieceName) }
    /// Whether the ITM head was trained, so that re-ranking means something; true for weights that
    /// do not say.
    public var matches: Bool {
        configuration.task.matches
            && weights.metadata["objectives"]?.split(separator: " ").contains("itm") ?? true
    }
    /// Parameters that were made at random when the model was put together from towers of others,
    /// and not trained since.
    public var newParts: Set<String> {
        Set((weights.metadata[Self.newPartsKey] ?? "").split(separator: " ").map(String.init))
    }
    /// What candidates are best re-ranked by, if the weights say; nil for what the dialect does.
    public let ranking: RankingScore?
    /// Tells this model from any other: a digest of its configuration and its weights.
    ///
    /// Made of `config.json`, which holds the digest of the weights as they were written, the
    /// weights' header, and a sample of the data; so it costs no reading of the whole file.
    public let fingerprint: String
    /// What turns match logits into probabilities, if that was measured for this model.
    public let calibration: MatchCalibration?
    /// What the model knows, if somebody wrote that down.
    public let card: ModelCard?
    /// The words that it learned from images, if somebody listed them.
    public let learnedWords: LearnedWords?
    private let weightsDigest: String

    /// The name of ``ranking`` in the weights' metadata.
    public static let rankingKey = "ranking"
    /// The name of ``newParts`` in the weights' metadata.
    static let newPartsKey = "new_parts"
    static let weightsName = "model.safetensors"
    package static let configurationName = "config.json"
    static let calibrationName = "calibration.json"
    static let cardName = "card.md"
    static let wordsName = "words.txt"
    /// The files that every model has, beside those of its tokenizer.
    static let names = [configurationName, weightsName]
    /// These, those of tokenizers, and the files that it may have.
    static let allNames = names + TokenizerFiles.names + [calibrationName, cardName, wordsName]

    /// Opens a directory that ``write(_:configuration:vocabulary:to:metadata:)`` made.
    ///
    /// - Throws: ``ModelFileError`` or `FileError`, naming the file: the directory or one of
    ///   its files is missing or damaged, a parameter is missing, unknown or misshapen, or the
    ///   vocabulary has another length than the word embeddings.
    public static func open(_ path: FilePath) throws -> ModelDirectory {
        try ModelDirectory(path)
    }

    private init(_ path: FilePath) throws {
        guard FileSystem.isDirectory(path) else { throw ModelFileError(path, .noDirectory) }
        for name in ModelDirectory.names where !FileSystem.exists(path.appending(name)) {
            throw ModelFileError(path, .notAModel(missing: name))
        }
        self.path = path
        let file = try MappedFile(path.appending(ModelDirectory.configurationName))
        let document = try file.withUnsafeBytes { try ModelDocument($0, file: file.path) }
        configuration = document.configuration
        weightsDigest = document.weightsDigest
        let isWordPiece = configuration.text.hasWordPieces
        guard let files = TokenizerFiles(folder: path, isWordPiece: isWordPiece) else {
            throw ModelFileError(
                path,
                .notAModel(
                    missing: isWordPiece ? TokenizerFiles.wordPieceName : "tokenizer's file"))
        }
        tokenizer = files
        weights = try SafetensorsFile(path.appending(ModelDirectory.weightsName))
        ranking = try weights.metadata[Self.rankingKey].map { [weights] name in
            guard let ranking = RankingScore(rawValue: name) else {
                throw ModelFileError(
                    weights.path, .configuration("the ranking '\(name)' is unknown"))
            }
            return ranking
        }
        fingerprint = ModelDirectory.fingerprint(of: weights, configuration: file)
        func ifThere<Value>(_ name: String, _ read: (FilePath) throws -> Value) rethrows -> Value? {
            let file = path.appending(name)
            return FileSystem.exists(file) ? try read(file) : nil
        }
        calibration = try ifThere(Self.calibrationName, MatchCalibration.init(contentsOf:))
        card = try ifThere(Self.cardName, ModelCard.init(contentsOf:))
        learnedWords = try ifThere(Self.wordsName, LearnedWords.init(contentsOf:))
        try ModelDirectory.check(weights, configuration)
        try tokenizer.check(rows: configuration.text.vocabularySize)
    }

    /// Reads all the weights and compares their digest with the one recorded when written.
    ///
    /// - Throws: ``ModelFileError`` if they differ.
    public func verify() throws {
        let found = weights.sha256
        guard found == weightsDigest else {
            throw ModelFileError(weights.path, .digest(expected: weightsDigest, found: found))
        }
    }

    /// The text of a file beside the weights; nil if it is longer than some bytes or not UTF-8.
    static func text(of path: FilePath, atMost bound: Int) throws -> String? {
        try MappedFile(path).withUnsafeBytes { bytes in
            bytes.count > bound ? nil : String(validating: bytes, as: UTF8.self)
        }
    }

    /// Checks that every parameter is there in its shape, and nothing else but training state.
    private static func check(
        _ weights: SafetensorsFile, _ configuration: ALBEFConfiguration
    ) throws {
        let parameters = ParameterLayout(configuration).parameters
        let missing = parameters.map(\.name).filter { weights.tensors[$0] == nil }
        guard missing.isEmpty else { throw ModelFileError(weights.path, .missing(missing)) }
        for parameter in parameters {
            let found = try weights.tensor(parameter.name)
            guard found.shape == parameter.shape else {
                throw ModelFileError(
                    weights.path,
                    .shape(
                        tensor: parameter.name, expected: parameter.shape, found: found.shape))
            }
            guard found.dtype.isFloatingPoint else {
                throw ModelFileError(
                    weights.path,
                    .tensor(name: parameter.name, problem: "is of the type \(found.dtype)"))
            }
        }
        let known = Set(parameters.map(\.name))
        let unexplained = weights.tensors.names.filter { name in
            !known.contains(name) && !ParameterLayout.queues.contains(name)
                && !(ParameterLayout.online(name).map(known.contains) ?? false)
        }
        guard unexplained.isEmpty else {
            throw ModelFileError(weights.path, .unexplained(unexplained))
        }
    }

    private static func fingerprint(
        of weights: SafetensorsFile, configuration: MappedFile
    ) -> String {
        var digest = SHA256()
        configuration.withUnsafeBytes { digest.update(bufferPointer: $0) }
        weights.withFileBytes { bytes in
            let header = UnsafeRawBufferPointer(rebasing: bytes[..<weights.headerByteCount])
            digest.update(bufferPointer: header)
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) {
                digest.update(bufferPointer: $0)
            }
            // 64 pages, evenly spread: weights that were changed without their configuration are
            // other weights nearly everywhere.
            let data = bytes[weights.headerByteCount...]
            for index in 0..<64 {
                let start = data.startIndex + data.count / 64 * index
                let end = min(start + 4096, data.endIndex)
                digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
        }
        return digest.hexadecimal()
    }
}
