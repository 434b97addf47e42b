/// A share of items in percent, or a difference of two, with its standard error.
public struct MeasuredShare: Sendable, Hashable, Codable {
    /// The share in percent; a difference in points.
    public var percent: Double
    /// Its standard error in points: the standard deviation of the items over the root of their number.
    ///
    /// Where all items agree it is 0, however few they are.
    public var standardError: Double

    /// A share with its standard error.
    public init(percent: Double, standardError: Double) {
        self.percent = percent
        self.standardError = standardError
    }

    /// The mean of what items count; 0 of no items.
    ///
    /// - Parameter values: 1 for a right item and 0 for another; in differences -1, 0 or 1.
    init(of values: [Int]) {
        let count = Double(max(values.count, 1))
        let mean = Double(values.reduce(0, +)) / count
        let square = Double(values.reduce(0) { $0 + $1 * $1 }) / count
        self.init(
            percent: 100 * mean,
            standardError: 100 * (max(0, square - mean * mean) / count).squareRoot())
    }

    /// The mean of some shares, each with the same weight; 0 of none.
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
