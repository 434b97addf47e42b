import ALBEF
import ALBEFTraining
import Foundation
import OrderedCollections
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("A loss that is not a number")
struct NonFiniteTests {
    private struct Report: Decodable {
        struct Pair: Decodable {
            let image: String
            let caption: String
        }
        let step: Int
        let losses: [String: String]
        let pairs: [Pair]
    }

    /// Writes a model one of whose weights is not a number.
    private func damaged(_ weight: String, in folder: FilePath) throws -> FilePath {
        let path = folder.appending("damaged")
        try TinyModel().write(to: path)
        let model = try ALBEFModel(ModelDirectory.open(path), trainableOn: .cpu)
        let parameter = try #require(model.parameters[weight])
        parameter.value = .full(parameter.value.shape, .nan)
        try model.write(
            to: folder.appending("start"), vocabulary: Fixtures.tinyVocabulary)
        return folder.appending("start")
    }

    @Test(
        "Stops the run and names a file that lists the images and captions",
        arguments: [
            ("vision_proj.weight", 1, ["itc", "total"]), ("itm_head.bias", 2, ["itm", "total"]),
            ("text_encoder.cls.predictions.bias", 1, ["mlm", "total"]),
        ])
    func stops(weight: String, accumulation: Int, parts: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try tiny.settings([
                "model.start='\(damaged(weight, in: folder))'",
                "training.accumulation=\(accumulation)", "objectives.teacher.ramp_epochs=0",
            ])
            let error = await #expect(throws: TrainingError.self) {
                try await tiny.train("run", settings)
            }
            let path = folder.appending("run/non-finite-step-1.json")
            #expect(
                error?.description
                    == "step 1: the loss is nan; the images and captions of its batch are listed"
                    + " in \(path)")
            let report = try JSONDecoder().decode(
                Report.self, from: Data(contentsOf: URL(filePath: path.string)))
            #expect(report.step == 1 && report.pairs.count == 4 * accumulation)
            #expect(Set(report.losses.filter { $1 == "nan" }.keys) == Set(parts))
            #expect(report.losses.count == 4)
            for pair in report.pairs {
                #expect(FileManager.default.fileExists(atPath: pair.image))
                #expect(pair.caption.split(separator: " ").count >= 4)
            }
            // No checkpoint holds what went wrong.
            #expect(!FileManager.default.fileExists(atPath: folder.appending("run/last").string))
        }
    }
}
