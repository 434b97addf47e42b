import Torch

/// The mean cross-entropy of a linear classifier with L2 regularization, and its gradient.
///
/// The features are shifted to mean zero and scaled to a mean variance of 1. Neither changes which
/// classifiers are possible, because the bias is not regularized; both make the search for the
/// minimum shorter, and strengths mean the same for features of any scale.
struct ProbeObjective {
    /// The features `[N, D]`, in double precision.
    private let features: Tensor
    /// The class of each row, `[N]`.
    private let classes: Tensor
    /// The mean of each feature, `[D]`.
    private let mean: Tensor
    /// The square root of the mean variance of the features.
    let scale: Double
    private let labels: [String]

    /// The number of rows whose logits are in memory at a time.
    private static let rowsAtOnce = 8192

    /// Scales features.
    ///
    /// - Complexity: O(N · D), also of memory: eight bytes per number.
    init(_ data: LabelledFeatures) {
        let raw = data.features.to(.cpu).to(.float64)
        mean = raw.mean(0)
        let centred = raw - mean
        let deviation = (centred * centred).mean().scalar().squareRoot()
        scale = deviation > 0 ? deviation : 1
        features = centred / scale
        classes = Tensor(data.classes)
        labels = data.labels
    }

    /// A point from which the search may start: no class is preferred.
    var origin: Tensor { .zeros([labels.count, features.size(1) + 1], dtype: .float64) }

    /// Returns the value and the gradient at a point.
    ///
    /// - Parameters:
    ///   - point: The weights with the biases in the last column, `[C, D + 1]`.
    ///   - l2: The strength λ of the regularization: λ/2 times the sum of the squared weights is
    ///     added to the mean cross-entropy.
    /// - Complexity: O(N · D · C).
    func callAsFunction(_ point: Tensor, l2: Double) -> (value: Double, gradient: Tensor) {
        let (count, width) = (features.size(0), features.size(1))
        let weights = point[.all, 0..<width]
        let (factors, bias) = (weights.transposed(), point[.all, width])
        var (loss, slope) = (0.0, Tensor.zeros(weights.shape, dtype: .float64))
        var biasSlope = Tensor.zeros([labels.count], dtype: .float64)
        let names = Tensor.arange(0..<labels.count)
        for start in stride(from: 0, to: count, by: Self.rowsAtOnce) {
            let range = start..<min(start + Self.rowsAtOnce, count)
            let (rows, truths) = (features[range], classes[range].unsqueezed(1))
            let shares = (rows.matmul(factors) + bias).logSoftmax(1)
            loss -= shares.gathered(1, truths).sum().scalar()
            let errors = shares.exp() - truths.isEqual(to: names).to(.float64)
            slope = slope + errors.transposed().matmul(rows)
            biasSlope = biasSlope + errors.sum(0)
        }
        let value = loss / Double(count) + l2 / 2 * (weights * weights).sum().scalar()
        let gradient = Tensor.concatenated(
            [slope / Double(count) + weights * l2, (biasSlope / Double(count)).unsqueezed(1)], 1)
        return (value, gradient)
    }

    /// Returns the classifier of a point, for features that are neither shifted nor scaled.
    func probe(at point: Tensor) -> LinearProbe {
        let width = features.size(1)
        let weights = point[.all, 0..<width] / scale
        let bias = point[.all, width] - weights.matmul(mean)
        return LinearProbe(
            labels: labels, weights: weights.to(.float32).contiguous(), bias: bias.to(.float32))
    }
}
