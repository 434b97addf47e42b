import ALBEF
import ALBEFTraining
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Evaluations of two models")
struct RecallModelTests {
    private struct Gallery {
        let dataset: CaptionDataset
        let both, reader, recall: SearchModel

        func evaluator(_ model: SearchModel) throws -> RetrievalEvaluator {
            try RetrievalEvaluator(
                dataset, preprocessing: model.reader.preprocessing,
                recall: model.recall.map {
                    RecallModel($0.model, preprocessing: $0.preprocessing)
                })
        }

        func calibrator(_ model: SearchModel) throws -> MatchCalibrator {
            try MatchCalibrator(
                dataset, preprocessing: model.reader.preprocessing,
                recall: model.recall.map {
                    RecallModel($0.model, preprocessing: $0.preprocessing)
                })
        }
    }

    private func withGallery(
        _ dialect: Dialect = .albef, shift: Int = 0, _ body: (Gallery) async throws -> Void
    ) async throws {
        let words = ["dog", "cat", "bus", "tree", "red", "snow", "sea", "sofa", "ball", "night"]
        try await TinyModel.$hasRecall.withValue(true) {
            try await Fixtures.withTemporaryFolder { folder in
                try TinyImages.write(10, to: folder)
                let lines = words.enumerated().map { number, word in
                    #"{"image": "00\#((number + shift) % 10).bmp", "caption": ["a \#(word)", "the \#(word) two"]}"#
                }
                let file = folder.appending("captions.json")
                try "[\(lines.joined(separator: ","))]".write(
                    toFile: file.string, atomically: true, encoding: .utf8)
                let both = try TinyModel.search(in: folder, dialect: dialect)
                try await body(
                    Gallery(
                        dataset: CaptionDataset(reading: [file], imageRoot: folder), both: both,
                        reader: SearchModel(folder.appending("model")),
                        recall: SearchModel(folder.appending("recall"))))
            }
        }
    }

    @Test("The towers are the one model's, what is re-ranked the other's")
    func recall() async throws {
        try await withGallery(.lavis) { gallery in
            let found = try await gallery.evaluator(gallery.both).evaluate(
                gallery.both.model, depths: [3, 20], samples: nil)
            let towers = try await gallery.evaluator(gallery.recall).evaluate(
                gallery.recall.model, depths: [])
            #expect(found.towers == towers.towers)
            // Where all are candidates, towers only matter to scores that the cosine is part of.
            let reader = try await gallery.evaluator(gallery.reader).evaluate(
                gallery.reader.model, depths: [3, 20], ranking: .matching)
            #expect(found.reranked[1].ranks == reader.reranked[1].ranks)
            #expect(found.towers != reader.towers)
            // The first of what a caption finds has the cosine of the model that recalls.
            let sample = try #require(found.samples.first)
            #expect(sample.query == "a dog")
        }
    }

    @Test("Calibration sees the same logits, of other candidates")
    func calibration() async throws {
        // What an untrained model says is fitted where it happens to be right more often than not.
        try await withGallery(shift: 1) { gallery in
            func calibrate(_ model: SearchModel, _ candidates: Int) async throws
                -> MatchCalibrator.Result?
            {
                try await gallery.calibrator(model).calibrate(
                    model.model, candidates: candidates)
            }
            let both = try #require(try await calibrate(gallery.both, 10))
            let alone = try #require(try await calibrate(gallery.reader, 10))
            #expect(both.fitted == 100 && both.all.count == 100)
            #expect(abs(both.calibration.bias - alone.calibration.bias) < 1e-3)
            #expect(abs(both.all.before.loss - alone.all.before.loss) < 1e-6)
            #expect(both.parts.isEmpty && both.calibration.least != nil)
            let few = try #require(try await calibrate(gallery.both, 8))
            let fewAlone = try await calibrate(gallery.reader, 8)
            #expect(fewAlone?.all.before.loss != few.all.before.loss)
        }
    }
}
