import ALBEF
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage

/// `albef vocabulary`: makes vocabularies of text encoders.
struct VocabularyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vocabulary",
        abstract: "Learn a WordPiece vocabulary from captions.",
        subcommands: [VocabularyTrainCommand.self])
}

/// `albef vocabulary train`: learns a vocabulary and writes it as `vocab.txt`.
struct VocabularyTrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Learn a WordPiece vocabulary from captions, in English, Chinese or both.",
        discussion: """
            Cleans captions and splits them into words as training does. A .txt file has one \
            caption per line; other files are annotations or shards in any format that \
            'albef pretrain' reads. Images are not read and need not exist.

              albef vocabulary train captions.json --size 8000 --output vocab.txt
            """)

    @Argument(
        help: ArgumentHelp("One or more files of captions, or shards.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Maximum number of tokens, including the five special ones.", valueName: "n"))
    var size: Int

    @Option(
        help: ArgumentHelp("Where to write the vocabulary.", valueName: "file"), completion: .file()
    )
    var output: String

    @Option(
        help: ArgumentHelp(
            "How often a character or a pair of tokens must occur to count.", valueName: "n"))
    var minimumFrequency = 2

    @Option(
        help: ArgumentHelp(
            "Maximum number of characters that are not CJK ideographs.", valueName: "n"))
    var alphabetLimit = 1000

    @Option(help: "Rules for cleaning captions: albef (the original) or lavis.")
    var dialect: Dialect = .albef

    @Flag(
        help: "Keep accents, as a cased tokenizer does; captions are lower-cased in any case."
    )
    var cased = false

    @Flag(help: "Replace an existing vocabulary.")
    var force = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        let smallest = Vocabulary.SpecialTokens.spellings.count + 1
        if !(smallest...1_000_000).contains(size) {
            throw ValidationError(
                "--size must be from \(smallest), one more than the special tokens, to 1000000.")
        }
        if !(1...1_000_000_000).contains(minimumFrequency) {
            throw ValidationError("--minimum-frequency must be from 1 to 1000000000.")
        }
        if !(0...1_000_000).contains(alphabetLimit) {
            throw ValidationError("--alphabet-limit must be from 0 to 1000000.")
        }
    }

    func run() async throws {
        // Report this before the work, not after it.
        if !force, FileManager.default.fileExists(atPath: output) {
            throw ValidationError("\(output) already exists; --force replaces it.")
        }
        var words = WordCounts(
            rules: dialect == .albef ? .albef : .lavis, isUncased: !cased)
        for file in files {
            if ShardList.isShards(file) {
                try await Self.add(shards: file, to: &words)
            } else {
                words.add(try CaptionTexts.read(FilePath(file)))
            }
        }
        var trainer = VocabularyTrainer(size: size)
        trainer.minimumFrequency = minimumFrequency
        trainer.alphabetLimit = alphabetLimit
        var bar = ProgressBar("learning", unit: "tokens")
        let vocabulary = try trainer.train(on: words) { bar.show($0, of: $1) }
        bar.finish()
        try vocabulary.write(to: FilePath(output), replacing: force)
        let report = Report(
            output: output, size: vocabulary.count, distinctWords: words.distinct,
            coverage: VocabularyCoverage(of: vocabulary, on: words))
        if json { try Console.json(report) } else { Console.result(report.text) }
        if vocabulary.count < size {
            Console.note(
                "note: \(vocabulary.count) tokens instead of \(size): no more pairs occur"
                    + " \(minimumFrequency) times")
        }
    }

    /// Adds the captions of shards; the content of images is passed over.
    private static func add(shards: String, to words: inout WordCounts) async throws {
        let samples = ShardSamples(
            try ShardList.addresses([shards]), fields: ShardFields(image: ""), opener: .standard,
            onDamage: { DamagedShards().report($0) })
        for try await sample in samples { words.add(try sample.captions()) }
    }

    /// The size of the vocabulary, and how well it covers the captions.
    struct Report: Encodable {
        let output: String
        let size: Int
        let captions: Int
        let words: Int
        let distinctWords: Int
        let singleTokenShare: Double
        let tokensPerCaption: Double
        let unknownShare: Double

        init(output: String, size: Int, distinctWords: Int, coverage: VocabularyCoverage) {
            self.output = output
            self.size = size
            self.distinctWords = distinctWords
            captions = coverage.captions
            words = coverage.words
            singleTokenShare = coverage.singleTokenShare
            tokensPerCaption = coverage.tokensPerCaption
            unknownShare = coverage.unknownShare
        }

        enum CodingKeys: String, CodingKey {
            case output, size, captions, words
            case distinctWords = "distinct_words"
            case singleTokenShare = "single_token_share"
            case tokensPerCaption = "tokens_per_caption"
            case unknownShare = "unknown_share"
        }

        var text: String {
            """
            wrote \(output): \(size) tokens, learned from \(words) words (\(distinctWords) \
            different) of \(captions) captions
              words that are one token  \(String(format: "%.2f %%", singleTokenShare * 100))
              tokens per caption        \(String(format: "%.2f", tokensPerCaption)) on average
              [UNK]                     \(String(format: "%.3f %%", unknownShare * 100)) of the words
            """
        }
    }
}
