import Storage
public import SystemPackage
import Torch
public import WeightFiles

/// A model on disk: a directory of weights, configuration and vocabulary, checked when opened.
public struct ModelDirectory: Sendable {
    /// The path of the directory.
    public let path: FilePath
    /// The sizes and conventions of the model.
    public let configuration: ALBEFConfiguration
    /// The weights under the names of ``ParameterLayout``.
    public let weights: SafetensorsFile
    /// The files of the tokenizer.
    public let tokenizer: TokenizerFiles
    /// The WordPiece vocabulary, with one token per line.
    public var vocabulary: FilePath { path.appending(TokenizerFiles.wordPieceName) }
    /// Whether the ITM head was trained, so that re-ranking is meaningful.
    ///
    /// Weights without this information count as trained.
    public var matches: Bool {
        configuration.task.matches
            && weights.metadata["objectives"]?.split(separator: " ").contains("itm") ?? true
    }
    /// The parameters that were initialised at random when the model was assembled from pretrained
    /// towers, and have not been trained since.
    public var newParts: Set<String> {
        Set((weights.metadata[Self.newPartsKey] ?? "").split(separator: " ").map(String.init))
    }
    /// The preferred re-ranking score, if the weights name one; nil for that of the dialect.
    public let ranking: RankingScore?
    /// A digest of configuration and weights, which distinguishes this model from any other.
    ///
    /// It covers `config.json`, which holds the digest of the weights as written, and the weights'
    /// header and a sample of their data, so that the whole file need not be read.
    public let fingerprint: String
    /// The calibration of match probabilities, if one was fitted for this model.
    public let calibration: MatchCalibration?
    /// The description of the model, if it has one.
    public let card: ModelCard?
    /// The words that the model learned from images, if it has such a list.
    public let learnedWords: LearnedWords?
    private let weightsDigest: String

    /// The key of ``ranking`` in the weights' metadata.
    public static let rankingKey = "ranking"
    /// The key of ``newParts`` in the weights' metadata.
    static let newPartsKey = "new_parts"
    static let weightsName = "model.safetensors"
    package static let configurationName = "config.json"
    static let calibrationName = "calibration.json"
    static let cardName = "card.md"
    static let wordsName = "words.txt"
    /// The files that every model has, apart from those of its tokenizer.
    static let names = [configurationName, weightsName]
    /// All file names that a model directory may have.
    static let allNames = names + TokenizerFiles.names + [calibrationName, cardName, wordsName]

    /// Opens a model directory and checks it.
    ///
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file, if the directory or one
    ///   of its files is missing or damaged, if a parameter is missing, unknown or misshapen, or if
    ///   the vocabulary does not have one line per word embedding.
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
                    missing: isWordPiece ? TokenizerFiles.wordPieceName : "tokenizer file"))
        }
        tokenizer = files
        weights = try SafetensorsFile(path.appending(ModelDirectory.weightsName))
        ranking = try weights.metadata[Self.rankingKey].map { [weights] name in
            guard let ranking = RankingScore(rawValue: name) else {
                throw ModelFileError(
                    weights.path,
                    .configuration(
                        "has the unknown ranking '\(name)'; known are \(RankingScore.names)"))
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

    /// Compares the digest of the weights with the one recorded when they were written.
    ///
    /// - Throws: ``ModelFileError`` if the digests differ.
    /// - Complexity: O(*n*) in the size of the weights, which are read completely.
    public func verify() throws {
        let found = weights.sha256
        guard found == weightsDigest else {
            throw ModelFileError(weights.path, .digest(expected: weightsDigest, found: found))
        }
    }

    /// Returns the text of a file; nil if it has more than `bound` bytes or is not UTF-8.
    static func text(of path: FilePath, atMost bound: Int) throws -> String? {
        try MappedFile(path).withUnsafeBytes { bytes in
            bytes.count > bound ? nil : String(validating: bytes, as: UTF8.self)
        }
    }

    /// Checks that every parameter exists in its shape, and nothing else except training state.
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
                    .tensor(
                        name: parameter.name,
                        problem: "should be floating point, but is \(found.dtype)"))
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
        configuration.withUnsafeBytes { digest.update($0) }
        weights.withFileBytes { bytes in
            let header = UnsafeRawBufferPointer(rebasing: bytes[..<weights.headerByteCount])
            digest.update(header)
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) {
                digest.update($0)
            }
            // 64 evenly spread pages: weights that change without their configuration change
            // nearly everywhere.
            let data = bytes[weights.headerByteCount...]
            for index in 0..<64 {
                let start = data.startIndex + data.count / 64 * index
                let end = min(start + 4096, data.endIndex)
                digest.update(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
        }
        return digest.finished().hexadecimal
    }
}
