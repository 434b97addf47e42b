package import ALBEF
import Foundation
package import Retrieval
package import RetrievalTesting
package import SystemPackage
package import Testing
import Torch

extension TinyModel {
    /// Whether ``search(in:)`` opens two models: one that recalls, one that re-ranks.
    ///
    /// Suites with the trait ``OneModelAndTwo`` run with either; `ALBEF_TEST_TWO_MODELS=1` has all
    /// others run with two, where they open their model here.
    @TaskLocal package static var hasRecall =
        ProcessInfo.processInfo.environment["ALBEF_TEST_TWO_MODELS"] != nil

    /// A model of two aligned towers, as unlike the other as can be: another size of images and
    /// features, other means, another vocabulary and no cleaning.
    package static func writeRecall(
        to path: FilePath, seed: UInt64 = 7, dialect: Dialect = .clip
    ) throws {
        var vision = ALBEFConfiguration.Vision(
            imageSize: 32, width: 20, depth: 2, heads: 4, mlpWidth: 40)
        vision.mean = [0.5, 0.5, 0.5]
        vision.standardDeviation = [0.5, 0.5, 0.5]
        let words = try String(
            contentsOfFile: Fixtures.tinyVocabulary.string, encoding: .utf8
        ).split(separator: "\n").prefix(180)
        let vocabulary = FilePath("\(path.string)-vocab.txt")
        try words.map { "\($0)\n" }.joined().write(
            toFile: vocabulary.string, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: vocabulary.string) }
        var text = ALBEFConfiguration.Text(
            vocabularySize: words.count, width: 28, depth: 2, fusionLayer: 2, heads: 4,
            mlpWidth: 56, positions: 24, maximumTokens: 20)
        text.hasTokenTypes = false
        let configuration = ALBEFConfiguration(
            dialect: dialect, task: .alignment, vision: vision, text: text, embeddingWidth: 12)
        try ALBEFModel(untrained: configuration, generator: Generator(seed: seed))
            .write(to: path, vocabulary: vocabulary)
    }

    /// Writes a model into a folder, `model`, and where ``hasRecall`` says so another, `recall`, and
    /// opens them.
    package static func search(
        in folder: FilePath, dialect: Dialect = .albef
    ) throws -> SearchModel {
        try write(to: folder.appending("model"), dialect: dialect)
        if hasRecall { try writeRecall(to: folder.appending("recall")) }
        return try opened(in: folder)
    }

    /// Opens again what ``search(in:dialect:)`` wrote.
    package static func opened(in folder: FilePath) throws -> SearchModel {
        try SearchModel(
            folder.appending("model"), recall: hasRecall ? folder.appending("recall") : nil)
    }
}

/// Runs every test of a suite twice: with one model, and with another one that recalls.
package struct OneModelAndTwo: SuiteTrait, TestTrait, TestScoping {
    package let isRecursive = true

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for hasRecall in [false, true] {
            try await TinyModel.$hasRecall.withValue(hasRecall) { try await function() }
        }
    }
}

extension Trait where Self == OneModelAndTwo {
    /// Runs every test of a suite with one model and with two.
    package static var oneModelAndTwo: Self { Self() }
}
