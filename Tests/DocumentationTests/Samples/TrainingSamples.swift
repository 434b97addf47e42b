import ALBEF
import ALBEFTraining
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import TrainingReport

@Suite("Samples of ALBEFTraining and TrainingReport")
struct TrainingSamples: SampleSuite {
    let printed = Printed()

    /// Eight images with two captions each, `captions.json`, and settings of the smallest sizes.
    private func write(to folder: FilePath) throws {
        try TinyCaptions.write(8, to: folder)
        try """
        data: {train: [captions.json]}
        model: {vocabulary: \(Fixtures.path("vocabularies/tiny-vocab.txt")), image_size: 32,
          image_width: 16, image_depth: 1, image_heads: 2, text_width: 16, text_depth: 1,
          fusion_depth: 1, text_heads: 2, positions: 16, maximum_tokens: 12, embedding_width: 8}
        objectives: {contrastive: {queue: 16}}
        training: {batch_size: 4, epochs: 1, device: cpu, log_steps: 1}
        optimizer: {warmup_steps: 1}

        """.write(toFile: folder.appending("small.yaml").string, atomically: true, encoding: .utf8)
    }

    @Test func training() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try write(to: folder)
            let (file, directory) = (folder.appending("small.yaml"), folder.appending("run"))
            // sample: train-a-model
            // shown: file = "small.yaml"
            // shown: directory = "run"
            var settings = try SettingsFile(preset: "albef")
            try settings.apply(file: file)
            try settings.apply(assignment: "optimizer.learning_rate=3e-4")

            let run = try TrainingRun(directory, settings: settings.configuration()) { event in
                if case .step(let metrics) = event {
                    print(metrics.step, metrics.loss)
                }
            }
            let outcome = try await run.run()
            print(outcome, run.directory.last)
            // end
            #expect(printed.lines.count == run.totalSteps + 1)
            try report(directory, folder.appending("report.html"))
        }
    }

    private func report(_ directory: FilePath, _ page: FilePath) throws {
        let before = printed.lines.count
        // sample: report-a-run
        // shown: directory = "run"
        // shown: page = "report.html"
        let run = try RecordedRun(directory)
        let summary = RunSummary(run)
        print(summary.state, summary.step, summary.losses.total ?? 0)
        try RunReport(run).write(to: page)
        // end
        #expect(printed.lines.count == before + 1)
        #expect(printed.lines.last?.hasPrefix("finished ") == true)
        #expect(try String(contentsOfFile: page.string, encoding: .utf8).contains("<title>run"))
    }

    @Test func retrieval() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let captions = try TinyCaptions.write(4, to: folder)
            let directory = folder.appending("model")
            try TinyModel().write(to: directory)
            // sample: evaluate-retrieval
            // shown: directory = "model"
            // shown: captions = "test.json"
            let files = try ModelDirectory.open(directory)
            let evaluator = try RetrievalEvaluator(
                CaptionDataset(reading: [captions]), preprocessing: ModelPreprocessing(files))
            let result = try await evaluator.evaluate(ALBEFModel(files), depths: [128])

            print("towers", result.towers.metrics.textToImage.r1)
            for reranked in result.reranked {
                print("re-ranked", reranked.depth, reranked.ranks.metrics.textToImage.r1)
            }
            // end
            #expect(printed.lines.count == 2)
        }
    }

    @Test func choice() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = folder.appending("images")
            try TinyImages.write(2, to: images)
            try TinyModel().write(to: folder.appending("model"))
            try #"""
            {"0": {"filename": "000.bmp", "caption": "a red cat", "negative_caption": "two dogs"},
             "1": {"filename": "001.bmp", "caption": "two dogs", "negative_caption": "a red cat"},
             "2": {"filename": "missing.bmp", "caption": "a bus", "negative_caption": "a man"}}
            """#.write(
                toFile: folder.appending("swap_att.json").string, atomically: true, encoding: .utf8)
            let (directory, file) = (folder.appending("model"), folder.appending("swap_att.json"))
            // sample: evaluate-choice
            // shown: directory = "model"
            // shown: file = "swap_att.json"
            // shown: images = "val2017"
            let model = try SearchModel(directory)
            let dataset = try ChoiceDataset(reading: [file], imageRoot: images, missing: .skipped)
            let evaluator = try ChoiceEvaluator(dataset, preprocessing: model.reader.preprocessing)
            let result = try await evaluator.evaluate(
                model.model, ranking: model.matches ? .matching : nil)
            let mean = result.metrics.meanOfItems
            print(mean.towers.percent, mean.fusion?.percent ?? 0)
            // end
            #expect(printed.lines.count == 1 && mean.items == 2)
        }
    }
}
