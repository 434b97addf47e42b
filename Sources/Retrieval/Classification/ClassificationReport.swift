public import Torch

/// How often a classifier is right on test images.
public struct ClassificationReport: Sendable, Hashable {
    /// The names of the C classes.
    public let labels: [String]
    /// The number of images of each true class, then of each predicted class, `[C][C]`.
    public let confusion: [[Int]]
    /// The share of images whose class is among the five with the highest logits; nil with at most
    /// five classes.
    public let topFiveAccuracy: Double?
    /// The share of images that are right if every image is given the class with most training
    /// images.
    public let majorityAccuracy: Double

    /// Counts right and wrong predictions; among equal logits, the first class is predicted.
    ///
    /// - Parameters:
    ///   - logits: The logits `[N, C]`.
    ///   - truths: The true class of each image, an index into `labels`.
    ///   - labels: The names of the classes.
    ///   - majority: The class with most training images.
    /// - Precondition: There are N true classes and C labels.
    /// - Complexity: O(N · C + C²).
    public init(logits: Tensor, truths: [Int], labels: [String], majority: Int) {
        precondition(
            logits.shape == [truths.count, labels.count],
            "logits \(logits.shape) for \(truths.count) images and \(labels.count) labels")
        self.labels = labels
        var confusion = labels.map { _ in [Int](repeating: 0, count: labels.count) }
        let predicted: [Int] = logits.argmax(1).values()
        for (truth, found) in zip(truths, predicted) { confusion[truth][found] += 1 }
        self.confusion = confusion
        let count = Double(max(truths.count, 1))
        if labels.count > 5 {
            let best: [Int] = logits.topK(5).indices.values()
            let right = truths.enumerated().count { row, truth in
                best[(row * 5)..<(row * 5 + 5)].contains(truth)
            }
            topFiveAccuracy = Double(right) / count
        } else {
            topFiveAccuracy = nil
        }
        majorityAccuracy = Double(truths.count { $0 == majority }) / count
    }

    /// The number of images.
    public var count: Int { confusion.reduce(0) { $0 + $1.reduce(0, +) } }

    /// The share of images whose class has the highest logit.
    public var accuracy: Double {
        let right = labels.indices.reduce(0) { $0 + confusion[$1][$1] }
        return Double(right) / Double(max(count, 1))
    }

    /// The standard error of ``accuracy``: that of a share of independent images.
    public var standardError: Double {
        (accuracy * (1 - accuracy) / Double(max(count, 1))).squareRoot()
    }

    /// The accuracy of each class; nil for a class without test images.
    public var classAccuracies: [Double?] {
        confusion.enumerated().map { label, row in
            let count = row.reduce(0, +)
            return count == 0 ? nil : Double(row[label]) / Double(count)
        }
    }

    /// The unweighted mean of the accuracies of the classes with test images.
    public var meanClassAccuracy: Double {
        let known = classAccuracies.compactMap(\.self)
        return known.reduce(0, +) / Double(max(known.count, 1))
    }
}
