import Foundation
import Storage
public import SystemPackage
public import Torch
import WeightFiles

/// A linear classifier over the features of a frozen encoder: how well a linear function of them
/// tells classes apart (Radford et al., 2021, section 3.2).
///
/// The classifier is multinomial logistic regression. ``fit(_:l2:progress:)`` trains it on features
/// that ``FeatureExtractor`` computes:
///
/// ```swift
/// let fit = try LinearProbe.fit(training)
/// let logits = fit.probe.logits(test.features)
/// let report = ClassificationReport(
///     logits: logits, truths: test.classes, labels: fit.probe.labels, majority: training.majority)
/// print(report.accuracy)
/// ```
public struct LinearProbe: Sendable {
    /// The names of the C classes.
    public let labels: [String]
    /// The weights `[C, D]`, in single precision.
    public let weights: Tensor
    /// The biases `[C]`, in single precision.
    public let bias: Tensor

    /// Creates a classifier.
    ///
    /// - Precondition: The shapes are those of the properties.
    public init(labels: [String], weights: Tensor, bias: Tensor) {
        precondition(
            weights.rank == 2 && weights.size(0) == labels.count && bias.shape == [labels.count],
            "weights \(weights.shape) and biases \(bias.shape) do not fit \(labels.count) labels")
        self.labels = labels
        self.weights = weights
        self.bias = bias
    }

    /// Returns the logits `[N, C]` of features `[N, D]`; their softmax is the probability of each
    /// class.
    ///
    /// - Complexity: O(N · D · C).
    public func logits(_ features: Tensor) -> Tensor {
        withoutGradients { features.to(.float32).linear(weights, bias) }
    }

    private enum Name {
        static let weights = "weight", bias = "bias", labels = "labels"
    }

    /// Writes the classifier to a safetensors file: `weight` `[C, D]`, `bias` `[C]`, and in the
    /// metadata `labels`, a JSON list.
    ///
    /// - Parameters:
    ///   - path: The file; an existing one is replaced.
    ///   - metadata: More strings to store, such as the kind of the features; none by default.
    /// - Throws: `FileError` if the file cannot be written.
    public func write(to path: FilePath, metadata: [String: String] = [:]) throws {
        let names = "[\(labels.map(JSONValue.quoted).joined(separator: ","))]"
        try SafetensorsWriter.write(
            [weights.entry(named: Name.weights), bias.entry(named: Name.bias)],
            metadata: metadata.merging([Name.labels: names]) { $1 }, to: path)
    }

    /// Reads a file that ``write(to:metadata:)`` wrote.
    ///
    /// - Throws: `FileError` that names the file and what is wrong with it.
    public init(reading path: FilePath) throws {
        let file = try SafetensorsFile(path)
        let weights = try Tensor(file.tensor(Name.weights)).to(.float32).clone()
        let bias = try Tensor(file.tensor(Name.bias)).to(.float32).clone()
        let text = Data(file.metadata[Name.labels, default: ""].utf8)
        guard let labels = try? JSONDecoder().decode([String].self, from: text),
            weights.rank == 2, weights.size(0) == labels.count, bias.shape == [labels.count]
        else {
            throw FileError(
                path,
                .part(
                    "is not a linear probe: it needs weight [C, D], bias [C] and C labels in its"
                        + " metadata"))
        }
        self.init(labels: labels, weights: weights, bias: bias)
    }
}

/// Features with the classes of their images.
public struct LabelledFeatures: Sendable {
    /// The features `[N, D]`.
    public let features: Tensor
    /// The class of each row, an index into ``labels``.
    public let classes: [Int]
    /// The names of the C classes.
    public let labels: [String]

    /// Creates labelled features.
    ///
    /// - Precondition: There is one class per row, and each is an index into `labels`.
    public init(features: Tensor, classes: [Int], labels: [String]) {
        precondition(
            features.rank == 2 && features.size(0) == classes.count
                && classes.allSatisfy(labels.indices.contains),
            "features \(features.shape) with \(classes.count) classes of \(labels.count) labels")
        self.features = features
        self.classes = classes
        self.labels = labels
    }

    /// The number of rows of each class.
    public var counts: [Int] {
        classes.reduce(into: [Int](repeating: 0, count: labels.count)) { $0[$1] += 1 }
    }

    /// The class with the most rows, the first one among equals.
    public var majority: Int {
        let counts = counts
        return counts.indices.max { counts[$0] < counts[$1] || counts[$0] == counts[$1] && $0 > $1 }
            ?? 0
    }

    /// Returns some rows in the given order.
    func rows(_ rows: [Int]) -> LabelledFeatures {
        LabelledFeatures(
            features: features[Tensor(rows)], classes: rows.map { classes[$0] }, labels: labels)
    }
}
