package import ALBEF
import Foundation
package import Retrieval
package import RetrievalTesting
package import SystemPackage
package import Testing

extension TinyModel {
    /// Whether ``search(in:dialect:)`` opens two models, one for recall and one for re-ranking.
    ///
    /// Suites with the trait ``OneModelAndTwo`` run both ways; `ALBEF_TEST_TWO_MODELS=1` makes all
    /// other suites that open their model here run with two.
    @TaskLocal package static var hasRecall =
        ProcessInfo.processInfo.environment["ALBEF_TEST_TWO_MODELS"] != nil

    /// A model of two aligned towers that differs from the other model in everything: the size of
    /// images and features, the means, the vocabulary, and no cleaning.
    package static let trunk = EfficientNetConfiguration(
        .custom(
            EfficientNetArchitecture(
                stemWidth: 8,
                stages: [
                    .init(kernel: 3, stride: 1, expansion: 1, width: 8, depth: 1),
                    .init(kernel: 5, stride: 2, expansion: 2, width: 16, depth: 2),
                    .init(kernel: 3, stride: 2, expansion: 3, width: 16, depth: 1),
                ], headWidth: 24, activation: .silu, squeezes: true)))

    /// Writes a model to `model` in a folder, and if ``hasRecall`` is true another to `recall`, and
    /// opens them.
    package static func search(
        in folder: FilePath, dialect: Dialect = .albef
    ) throws -> SearchModel {
        try TinyModel(dialect: dialect)
            .makeSearchModel(in: folder, recall: hasRecall ? .towers() : nil)
    }

    /// Opens the models that ``search(in:dialect:)`` wrote.
    package static func opened(in folder: FilePath) throws -> SearchModel {
        try SearchModel(
            folder.appending("model"), recall: hasRecall ? folder.appending("recall") : nil)
    }
}

/// A trait that runs every test of a suite twice: with one model, and with a second one for recall.
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
