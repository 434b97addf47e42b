public import ALBEFTraining
import ALBEF
import ImageText
public import SystemPackage
internal import Foundation
import Torch

/// The experiment that shows why one would align before fusing: systems and the paper's steps,
/// trained on equal scenes with equal steps and seeds.
///
/// Every system goes through the same two lessons: first scenes of one person, by which a model from
/// random weights learns what colours and garments are called and which belongs to which, then
/// scenes of one to four. Without the first it stays at chance for most of so short a run. Half of
/// the second lesson are shoots, whose takes ask who wears what, and half are scenes by themselves:
/// with shoots alone a hard negative is nearly always the other take, and ITM is never asked about
/// anything else.
///
/// Everything lives in one directory and is resumed from it.
///
///     single/                  the scenes of the first lesson, as `albef wardrobe generate` writes them
///     shoots/ others/          those of the second
///     vocab.txt                learned from the captions
///     <system>-<seed>.first/   the run of the first lesson
///     <system>-<seed>/         the run of the second; wardrobe.json in it holds its scores
public struct WardrobeAblation: Sendable {
    /// How large the experiment is.
    public struct Sizes: Sendable, Hashable {
        /// Scenes of one person; default 8,000.
        public var singleScenes = 8_000
        /// Scenes of one to four people, half of them in shoots; default 12,000.
        public var scenes = 12_000
        /// What the tests ask.
        public var tests = WardrobeBenchmark.Sizes()
        /// Changes of the preset that all systems share, such as `training.epochs=1`; the first
        /// lesson keeps its own length.
        public var assignments: [String] = []

        /// The sizes that published figures are for.
        public init() {}
    }

    /// What is going on.
    public enum Event: Sendable {
        /// Scenes are being drawn: done and in all.
        case drawing(Int, of: Int)
        /// A lesson begins, or goes on after some of its steps.
        case training(
            WardrobeSystem, seed: Int, lesson: Lesson, step: Int, steps: Int, epochs: Int)
        /// Something happened in the run.
        case run(PretrainingRun.Event)
        /// The run's model is being tested: parts done and in all.
        case testing(Int, of: Int)
    }

    /// What a model is shown, in this order.
    public enum Lesson: String, Sendable, Hashable, CaseIterable {
        /// Scenes of one person.
        case single
        /// Scenes of one to four people.
        case scenes
    }

    /// A folder of training scenes.
    private enum Folder: String, CaseIterable {
        case single, shoots, others

        var lesson: Lesson { self == .single ? .single : .scenes }

        /// Seeds far from the tests'.
        var seed: UInt64 {
            switch self {
            case .shoots: 1
            case .single: 2
            case .others: 3
            }
        }

        /// What is in it; of a shoot's four takes two at a time meet in a batch.
        var settings: WardrobeGenerator.Settings {
            var settings: WardrobeGenerator.Settings = self == .single ? .single : .init()
            settings.takes = self == .others ? 1 : 4
            return settings
        }

        /// How many; shoots are half of the second lesson.
        func count(_ sizes: Sizes) -> Int {
            switch self {
            case .single: sizes.singleScenes
            case .shoots: sizes.scenes / 2
            case .others: sizes.scenes - sizes.scenes / 2
            }
        }
    }

    /// The seed of the tests.
    public static let testSeed: UInt64 = 1_000_001

    /// Where everything is.
    public let directory: FilePath
    private let sizes: Sizes

    /// An experiment in a directory, which may hold a part of it already.
    public init(_ directory: FilePath, sizes: Sizes = Sizes()) {
        self.directory = directory
        self.sizes = sizes
    }

    /// Draws the scenes and learns the vocabulary, unless they are there.
    ///
    /// - Throws: what drawing and writing throw; `CancellationError`.
    public func prepare(report: (Event) -> Void) async throws {
        for folder in Folder.allCases {
            let generator = WardrobeGenerator(seed: folder.seed, settings: folder.settings)
            try await draw(
                folder.count(sizes), by: generator, to: directory.appending(folder.rawValue),
                report)
        }
        guard !Self.exists(vocabulary) else { return }
        let files = annotations(.scenes).map { FilePath($0) }
        var words = WordCounts()
        words.add(try CaptionDataset(reading: files).images.flatMap(\.captions))
        try VocabularyTrainer(size: 400).train(on: words).write(to: vocabulary, replacing: false)
    }

    /// Trains one system with one seed and tests it, or goes on where that stopped.
    ///
    /// - Returns: false if the task was cancelled first; what was reached is kept.
    public func run(
        _ system: WardrobeSystem, seed: Int, report: @escaping @Sendable (Event) -> Void
    ) async throws -> Bool {
        guard try results(system, seed: seed) == nil else { return true }
        for lesson in Lesson.allCases {
            let path = runDirectory(system, seed: seed, lesson)
            let isBegun = RunDirectory(path).isBegun
            let training = try PretrainingRun(
                path, settings: isBegun ? nil : settings(system, seed: seed, lesson)
            ) { report(.run($0)) }
            if training.step == training.totalSteps, lesson == .single { continue }
            report(
                .training(
                    system, seed: seed, lesson: lesson, step: training.step,
                    steps: training.totalSteps, epochs: training.configuration.training.epochs))
            guard try await training.run() == .finished else { return false }
            if lesson == .scenes { try await test(training, system, seed: seed, report) }
        }
        return true
    }

    private func test(
        _ training: PretrainingRun, _ system: WardrobeSystem, seed: Int,
        _ report: (Event) -> Void
    ) async throws {
        let evaluator = WardrobeEvaluator(
            WardrobeBenchmark(seed: Self.testSeed, sizes: sizes.tests),
            preprocessing: training.preprocessing)
        let rows = try await evaluator.evaluate(training.model, stages: system.stages) {
            report(.testing($0, of: $1))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        try encoder.encode(rows).write(
            to: URL(filePath: resultsFile(system, seed: seed).string), options: .atomic)
    }

    /// The settings of a run: the preset `wardrobe` with what makes the system differ.
    ///
    /// - Throws: ``TrainingError`` for a shared change that does not fit.
    public func settings(
        _ system: WardrobeSystem, seed: Int, _ lesson: Lesson
    ) throws -> PretrainingConfiguration {
        var file = try SettingsFile(preset: "wardrobe")
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        let files = annotations(lesson).map(quoted).joined(separator: ", ")
        var changes = [
            "data.train=[\(files)]", "model.vocabulary=\(quoted(vocabulary.string))",
            "training.seed=\(seed)",
        ]
        switch lesson {
        case .single: changes += Self.firstLesson
        case .scenes:
            let start = runDirectory(system, seed: seed, .single).appending("last")
            changes.append("model.start=\(quoted(start.string))")
        }
        for assignment in sizes.assignments + changes + system.assignments {
            try file.apply(assignment: assignment)
        }
        return try file.configuration()
    }

    /// How the first lesson differs: short, and with easy negatives for longer.
    private static let firstLesson = [
        "training.epochs=4", "objectives.matching.easy_epochs=1.5",
    ]

    /// The scores of a run; nil while there are none.
    ///
    /// - Throws: `DecodingError` where the file is damaged.
    public func results(_ system: WardrobeSystem, seed: Int) throws -> [WardrobeRow]? {
        guard
            let bytes = FileManager.default.contents(
                atPath: resultsFile(system, seed: seed).string)
        else { return nil }
        return try JSONDecoder().decode([WardrobeRow].self, from: bytes)
    }

    // MARK: Files

    private func annotations(_ lesson: Lesson) -> [String] {
        Folder.allCases.filter { $0.lesson == lesson }.flatMap { folder in
            WardrobeLanguage.allCases.map {
                directory.appending(folder.rawValue).appending(WardrobeFolder.annotations($0))
                    .string
            }
        }
    }

    private var vocabulary: FilePath { directory.appending("vocab.txt") }

    /// Where a run is kept.
    public func runDirectory(
        _ system: WardrobeSystem, seed: Int, _ lesson: Lesson = .scenes
    ) -> FilePath {
        let name = "\(system.rawValue)-\(seed)"
        return directory.appending(lesson == .single ? name + ".first" : name)
    }

    private func resultsFile(_ system: WardrobeSystem, seed: Int) -> FilePath {
        runDirectory(system, seed: seed).appending("wardrobe.json")
    }

    private func draw(
        _ count: Int, by generator: WardrobeGenerator, to path: FilePath,
        _ report: (Event) -> Void
    ) async throws {
        let last = WardrobeLanguage.allCases.map(WardrobeFolder.annotations).last ?? ""
        guard !Self.exists(path.appending(last)) else { return }
        let scenes = (0..<count).map { generator.scene($0) }
        try await WardrobeFolder(path).write(scenes, seed: generator.seed) {
            report(.drawing($0, of: count))
        }
    }

    private static func exists(_ path: FilePath) -> Bool {
        FileManager.default.fileExists(atPath: path.string)
    }
}
