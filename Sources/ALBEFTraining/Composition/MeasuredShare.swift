/// A share of items in percent, or the difference of two shares, with its standard error.
public struct MeasuredShare: Sendable, Hashable, Codable {
    /// The share in percent; for a difference, percentage points.
    public var percent: Double
    /// The standard error in percentage points: the standard deviation of n independent items over
    /// the square root of n.
    ///
    /// It is 0 if all items agree, however few they are.
    public var standardError: Double

    /// Creates a share with its standard error.
    public init(percent: Double, standardError: Double) {
        self.percent = percent
        self.standardError = standardError
    }

    /// Computes the mean of the items' values; 0 if there are no items.
    ///
    /// - Parameters:
    ///   - values: One value per item: 1 for a right item and 0 for a wrong one, or a number in
    ///     between; for a difference from -1 to 1.
    ///   - groups: The group of each item if items of one group are not independent; nil if all
    ///     items are.
    init(of values: [Double], groups: [Int]? = nil) {
        let count = Double(max(values.count, 1))
        let mean = values.reduce(0, +) / count
        let deviations = values.map { $0 - mean }
        let sums = groups.map {
            Dictionary(zip($0, deviations), uniquingKeysWith: +).sorted { $0.key < $1.key }.map(
                \.value)
        }
        self.init(
            percent: 100 * mean,
            standardError: 100 * (sums ?? deviations).reduce(0) { $0 + $1 * $1 }.squareRoot()
                / count)
    }

    /// Computes the mean of the items' whole values.
    init(of values: [Int], groups: [Int]? = nil) {
        self.init(of: values.map(Double.init), groups: groups)
    }

    /// Computes the unweighted mean of independent shares; 0 if there are none.
    init(meanOf shares: [MeasuredShare]) {
        let count = Double(max(shares.count, 1))
        self.init(
            percent: shares.reduce(0) { $0 + $1.percent } / count,
            standardError: shares.reduce(0) { $0 + $1.standardError * $1.standardError }
                .squareRoot() / count)
    }

    enum CodingKeys: String, CodingKey {
        case percent
        case standardError = "standard_error"
    }
}
