import CommandSupport
import Foundation
import Retrieval
import Torch

/// The outcome of `albef probe`.
struct ProbeResult: Sendable {
    let fit: LinearProbe.Fit
    let report: ClassificationReport
    let kind: FeatureKind
    let model: SearchModel
    let trainingCount: Int
    let skipped: [FeatureExport.Skipped]
    let seconds: Double

    private static let shownConfusions = 3

    /// scikit-learn's name for the inverse strength.
    var inverseStrength: Double { 1 / (fit.l2 * Double(trainingCount)) }

    /// The results as a table.
    var text: String {
        func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
        let width = fit.probe.weights.size(1)
        var rows = [
            [
                "right",
                percent(report.accuracy) + String(format: " ± %.1f", 100 * report.standardError),
            ]
        ]
        if let five = report.topFiveAccuracy { rows.append(["in the first 5", percent(five)]) }
        rows.append(["mean of classes", percent(report.meanClassAccuracy)])
        rows.append(["most frequent class", percent(report.majorityAccuracy)])
        rows.append(["L2 strength", String(format: "%.2e (C = %.3g)", fit.l2, inverseStrength)])
        let label = rows.map { $0[0].count }.max() ?? 0
        var lines = [
            "\(report.labels.count) classes, \(trainingCount) training and \(report.count) test"
                + " images, \(width) numbers of the kind \(kind.rawValue) per image"
        ]
        lines += rows.map {
            "  \($0[0])\(String(repeating: " ", count: label - $0[0].count))  \($0[1])"
        }
        lines += confusions.prefix(Self.shownConfusions).map {
            "  \($0.count) of '\($0.truth.displayed)' taken for '\($0.found.displayed)'"
        }
        return lines.joined(separator: "\n")
    }

    /// The wrong predictions, the most frequent first.
    private var confusions: [(truth: String, found: String, count: Int)] {
        var all: [(truth: String, found: String, count: Int)] = []
        for (truth, row) in report.confusion.enumerated() {
            for (found, count) in row.enumerated() where found != truth && count > 0 {
                all.append((report.labels[truth], report.labels[found], count))
            }
        }
        return all.sorted { $0.count > $1.count }
    }
}

/// The JSON of `albef probe --json`; shares are from 0 to 1.
struct ProbeOutput: Encodable {
    struct Class: Encodable {
        let label: String
        let images: Int
        /// The share of its images that are right; nil without test images.
        let accuracy: Double?
    }

    let accuracy, standardError: Double
    let topFiveAccuracy: Double?
    let meanClassAccuracy, majorityAccuracy: Double
    let trainingImages, testImages, skippedImages: Int
    let kind: FeatureKind
    let width: Int
    let model: ModelOutput
    let l2, c: Double
    let trials: [LinearProbe.Trial]
    let iterations: Int
    let converged: Bool
    let classes: [Class]
    /// By true class, then by predicted class, in the order of `classes`.
    let confusion: [[Int]]
    let seconds: Double

    enum CodingKeys: String, CodingKey {
        case accuracy
        case standardError = "standard_error"
        case topFiveAccuracy = "top_5_accuracy"
        case meanClassAccuracy = "mean_class_accuracy"
        case majorityAccuracy = "majority_accuracy"
        case trainingImages = "training_images"
        case testImages = "test_images"
        case skippedImages = "skipped_images"
        case kind, width, model, l2
        case c = "C"
        case trials, iterations, converged, classes, confusion, seconds
    }

    init(_ result: ProbeResult) {
        let report = result.report
        accuracy = report.accuracy
        standardError = report.standardError
        topFiveAccuracy = report.topFiveAccuracy
        meanClassAccuracy = report.meanClassAccuracy
        majorityAccuracy = report.majorityAccuracy
        trainingImages = result.trainingCount
        testImages = report.count
        skippedImages = result.skipped.count
        kind = result.kind
        width = result.fit.probe.weights.size(1)
        model = ModelOutput(result.model)
        l2 = result.fit.l2
        c = result.inverseStrength
        trials = result.fit.trials
        iterations = result.fit.iterations
        converged = result.fit.isConverged
        classes = zip(report.labels, zip(report.confusion, report.classAccuracies)).map {
            Class(label: $0, images: $1.0.reduce(0, +), accuracy: $1.1)
        }
        confusion = report.confusion
        seconds = result.seconds
    }
}
