import ALBEF
public import ALBEFTraining
internal import Foundation
import ImageText
import Storage
public import SystemPackage
import Torch
public import Wardrobe

/// An experiment that measures the benefit of aligning before fusing.
///
/// It compares systems, and the steps of the paper, on equal scenes with equal steps and seeds.
///
/// Every system has the same two lessons. The first has scenes of one person. From them a model
/// with random weights learns the names of colours and garments, and which belongs to which. The
/// second has scenes of one to four people. Without the first lesson, a model stays at chance for
/// most of so short a run. Half of the second lesson consists of shoots, whose takes differ in who
/// wears what, and half of single scenes. With shoots alone, a hard negative would nearly always be
/// another take, and ITM would learn nothing else.
///
/// All files are in one directory, from which an interrupted experiment resumes.
///
///     single/                  the first lesson's scenes, as `albef wardrobe generate` writes them
///     shoots/ others/          the scenes of the second lesson
///     vocab.txt                the vocabulary learned from the captions
///     <system>-<seed>.first/   the run of the first lesson
///     <system>-<seed>/         the run of the second lesson, with its scores in wardrobe.json
public struct WardrobeAblation: Sendable {
    /// The sizes of the experiment.
    public struct Sizes: Sendable, Hashable {
        /// The number of scenes with one person; 8,000 by default.
        public var singleScenes = 8_000
        /// The number of scenes with one to four people, half of them in shoots; 12,000 by default.
        public var scenes = 12_000
        /// The sizes of the tests.
        public var tests = WardrobeBenchmark.Sizes()
        /// Changes to the preset for all systems, such as `training.epochs=1`; the first
        /// lesson keeps its own length.
        public var assignments: [String] = []

        /// Creates the sizes of the published figures.
        public init() {}
    }

    /// A report on the progress of the experiment.
    public enum Event: Sendable {
        /// The number of scenes drawn, and of all scenes of a folder.
        case drawing(Int, of: Int)
        /// The start of a lesson, or its resumption after some steps.
        case training(
            WardrobeSystem, seed: Int, lesson: Lesson, step: Int, steps: Int, epochs: Int)
        /// An event of the training run.
        case run(TrainingRun.Event)
        /// The number of tested parts of the model, and of all parts.
        case testing(Int, of: Int)
    }

    /// A lesson of the training, in order.
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

        /// The seed of the scenes, which differs from those of the tests.
        var seed: UInt64 {
            switch self {
            case .shoots: 1
            case .single: 2
            case .others: 3
            }
        }

        /// The settings of the scenes; two of the four takes of a shoot at a time share a batch.
        var settings: WardrobeGenerator.Settings {
            var settings: WardrobeGenerator.Settings = self == .single ? .single : .init()
            settings.takes = self == .others ? 1 : 4
            return settings
        }

        /// Returns the number of scenes; shoots are half of the second lesson.
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

    /// The directory of the experiment.
    public let directory: FilePath
    private let sizes: Sizes

    /// Creates an experiment in a directory, which may hold a part of it already.
    public init(_ directory: FilePath, sizes: Sizes = Sizes()) {
        self.directory = directory
        self.sizes = sizes
    }

    /// Draws the scenes and learns the vocabulary, unless their files exist.
    ///
    /// - Parameter report: called with the progress of drawing.
    /// - Throws: the errors of drawing and writing; `CancellationError`.
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

    /// Trains and tests one system with one seed, or resumes where an earlier call stopped.
    ///
    /// - Parameters:
    ///   - system: the system.
    ///   - seed: the seed of training.
    ///   - report: called with the progress of training and testing.
    /// - Returns: false if the task was cancelled before the end; the progress is kept.
    /// - Throws: the errors of training, testing and writing.
    public func run(
        _ system: WardrobeSystem, seed: Int, report: @escaping @Sendable (Event) -> Void
    ) async throws -> Bool {
        guard try results(system, seed: seed) == nil else { return true }
        for lesson in Lesson.allCases {
            let path = runDirectory(system, seed: seed, lesson)
            let isBegun = RunDirectory(path).isBegun
            let training = try TrainingRun(
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
        _ training: TrainingRun, _ system: WardrobeSystem, seed: Int,
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
        try AtomicFile.write(encoder.encode(rows), to: resultsFile(system, seed: seed))
    }

    /// Returns the settings of a run: the preset `wardrobe`, changed for the system.
    ///
    /// - Throws: `TrainingError` if a shared change is invalid.
    public func settings(
        _ system: WardrobeSystem, seed: Int, _ lesson: Lesson
    ) throws -> TrainingConfiguration {
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

    /// The differences of the first lesson: it is short, and has easy negatives for longer.
    private static let firstLesson = [
        "training.epochs=4", "objectives.matching.easy_epochs=1.5",
    ]

    /// Returns the scores of a run; nil if it has none yet.
    ///
    /// - Throws: `DecodingError` if the file is damaged.
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

    /// Returns the directory of a run.
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
