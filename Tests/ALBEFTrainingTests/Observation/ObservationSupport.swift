import ALBEF
import ALBEFTraining
import Foundation
import SystemPackage

/// Measurements for tests: the numbers follow from the step.
enum Measurements {
    static func step(_ step: Int) -> StepMetrics {
        StepMetrics(
            step: step, epoch: 1 + step / 10, seconds: Double(step) * 2, pairsSeen: step * 8,
            loss: 8 / Double(step), itc: 4 / Double(step), itm: 0.5, mlm: 3, temperature: 0.07,
            alpha: 0.4, learningRate: 1e-4, gradientNorm: 1.5, pairsPerSecond: 100,
            residentMegabytes: 640, itmAccuracy: 0.75)
    }

    static func evaluation(_ step: Int, _ recall: Double = 50, split: String = "val")
        -> EvaluationMetrics
    {
        let dual = RecallMetrics.Direction(r1: recall - 30, r5: recall - 10, r10: recall)
        let better = RecallMetrics.Direction(r1: recall - 24, r5: recall - 4, r10: recall + 6)
        return EvaluationMetrics(
            step: step, epoch: 1, split: split, images: 100, texts: 500, rerankDepth: 16,
            dual: RecallMetrics(textToImage: dual, imageToText: dual),
            reranked: RecallMetrics(textToImage: better, imageToText: better))
    }

    static func sample(_ path: String) -> SampleRetrieval {
        SampleRetrieval(
            query: "a <dog> & a \"cat\"", rightPath: path, recallRank: 2, rerankedRank: 1,
            results: [
                .init(
                    path: "gone/far-away.jpg", similarity: 0.5, matchProbability: 0.25,
                    recallRank: 1, rank: 2, isRight: false),
                .init(
                    path: path, similarity: 0.4, matchProbability: 0.875, recallRank: 2, rank: 1,
                    isRight: true),
            ])
    }
}

extension FilePath {
    func text() throws -> String { try String(contentsOfFile: string, encoding: .utf8) }

    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: string)) }

    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: string).sorted()
    }
}
