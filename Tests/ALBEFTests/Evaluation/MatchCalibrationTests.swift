import ALBEF
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Calibration of match probabilities")
struct MatchCalibrationTests {
    /// Labels drawn with the calibrated probabilities of random log-odds.
    private func pairs(
        _ truth: MatchCalibration, count: Int, seed: UInt64
    ) throws -> [MatchCalibration.Pair] {
        let generator = try Generator(seed: seed)
        let spread: [Double] = (Tensor.normal([count], generator: generator) * 4).values()
        let draws: [Double] = Tensor.uniform([count], generator: generator).values()
        return zip(spread, draws).map { logOdds, draw in
            let p = truth(MatchLogits(mismatch: 0, match: Float(logOdds)))
            return .init(logOdds: logOdds, matches: draw < p)
        }
    }

    @Test(
        "The fit recovers the temperature and the bias of the labels",
        arguments: [
            MatchCalibration(), MatchCalibration(temperature: 3, bias: -2),
            MatchCalibration(temperature: 0.5, bias: 1),
        ])
    func recovery(_ truth: MatchCalibration) throws {
        let fitted = try #require(MatchCalibration.fit(pairs(truth, count: 40_000, seed: 1)))
        #expect(abs(fitted.temperature / truth.temperature - 1) < 0.08)
        #expect(abs(fitted.bias - truth.bias) < 0.12)
        // On other labels it is as good as the true calibration, and its error is small.
        let others = try pairs(truth, count: 40_000, seed: 2)
        #expect(fitted.quality(others).loss < truth.quality(others).loss + 1e-3)
        #expect(fitted.quality(others).error < 0.01)
    }

    @Test("An overconfident model has a better loss and error after the fit")
    func improvement() throws {
        let sample = try pairs(.init(temperature: 4, bias: -3), count: 4000, seed: 3)
        let fitted = try #require(MatchCalibration.fit(sample))
        let (before, after) = (MatchCalibration().quality(sample), fitted.quality(sample))
        #expect(after.loss < before.loss && after.error < before.error / 2)
    }

    @Test("The fit is nil for one kind of label and for log-odds without information")
    func impossible() {
        #expect(MatchCalibration.fit([]) == nil)
        #expect(MatchCalibration.fit([.init(logOdds: 1, matches: true)]) == nil)
        let wrongWay = (0..<100).map {
            MatchCalibration.Pair(logOdds: Double($0), matches: $0 < 50)
        }
        #expect(MatchCalibration.fit(wrongWay) == nil)
    }

    @Test("The fit is finite for labels that log-odds separate without error")
    func separable() throws {
        let pairs = (-50..<50).map {
            MatchCalibration.Pair(logOdds: Double($0) + 0.5, matches: $0 >= 0)
        }
        let fitted = try #require(MatchCalibration.fit(pairs))
        #expect(fitted.temperature.isFinite && fitted.temperature > 0.001)
    }

    @Test("A calibration is stored beside the weights and keeps the fingerprint")
    func storage() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("model")
            try TinyModel().write(to: path)
            let model = try ModelDirectory.open(path)
            #expect(model.calibration == nil)
            let calibration = MatchCalibration(temperature: 2, bias: -1, least: 0.25)
            try model.write(calibration)
            let again = try ModelDirectory.open(path)
            #expect(again.calibration == calibration)
            #expect(again.fingerprint == model.fingerprint)
            let file = path.appending("calibration.json").string
            for wrong in [
                #"{"temperature": 0, "bias": 0}"#,
                #"{"temperature": 1, "bias": 0, "least": 1.5}"#,
            ] {
                try Data(wrong.utf8).write(to: URL(filePath: file))
                let error = #expect(throws: ModelFileError.self) { try ModelDirectory.open(path) }
                #expect("\(try #require(error))".contains("calibration.json"))
            }
            // A file without a least probability makes no claim.
            try Data(#"{"temperature": 1, "bias": 0}"#.utf8).write(to: URL(filePath: file))
            #expect(try ModelDirectory.open(path).calibration == MatchCalibration())
            // A model of the same name replaces it, with its calibration.
            try TinyModel(seed: 2).write(to: path)
            #expect(try ModelDirectory.open(path).calibration == nil)
        }
    }

    @Test("One in twenty sentences with an answer may be below the limit, which is at most 0.5")
    func leastProbable() throws {
        let unsure = (1...200).map { Double($0) / 1000 }
        let least = try #require(MatchCalibration.leastProbable(best: unsure.reversed()))
        #expect(unsure.count { $0 < least } == 10)
        let sure = (0..<200).map { 0.7 + Double($0) / 1000 }
        #expect(MatchCalibration.leastProbable(best: sure) == 0.5)
        #expect(MatchCalibration.leastProbable(best: [0.3]) == 0.3)
        #expect(MatchCalibration.leastProbable(best: []) == nil)
        #expect(MatchCalibration.leastProbable(best: [0.3, .nan]) == nil)
    }

    @Test(
        "NaN log-odds have no fit and count as wrong",
        arguments: [
            Double.nan, .infinity, -.infinity,
        ])
    func notFinite(_ logOdds: Double) {
        let pairs: [MatchCalibration.Pair] = [
            .init(logOdds: logOdds, matches: true), .init(logOdds: logOdds, matches: false),
            .init(logOdds: 2, matches: true), .init(logOdds: -2, matches: false),
        ]
        #expect(MatchCalibration.fit(pairs) == nil)
        let quality = MatchCalibration().quality(pairs)
        #expect(quality.loss.isFinite && quality.error.isFinite)
        let wrong = MatchCalibration().quality([.init(logOdds: .nan, matches: true)])
        #expect(wrong.error == 1 && wrong.loss > 20)
    }
}
