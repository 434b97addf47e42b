/// A share of items in percent, or a difference of two, with its standard error.
public struct MeasuredShare: Sendable, Hashable, Codable {
    /// The share in percent; a difference in points.
    public var percent: Double
    /// Its standard error in points: of n independent items, their standard deviation over the root of n.
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
    /// - Parameters:
    ///   - values: 1 for a right item and 0 for another; in differences -1, 0 or 1.
    ///   - groups: the group of each item, where items of one group are not independent; nil if all are.
    init(of values: [Int], groups: [Int]? = nil) {
        let count = Double(max(values.count, 1))
        let mean = Double(values.reduce(0, +)) / count
        let deviations = values.map { Double($0) - mean }
        let sums = groups.map {
            Dictionary(zip($0, deviations), uniquingKeysWith: +).sorted { $0.key < $1.key }.map(
                \.value)
        }
        self.init(
            percent: 100 * mean,
            standardError: 100 * (sums ?? deviations).reduce(0) { $0 + $1 * $1 }.squareRoot()
                / count)
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
