/// The support of each image patch for a match.
public struct HeatMap: Sendable, Hashable {
    /// The number of patches per row.
    public let width: Int
    /// The number of rows of patches.
    public let height: Int
    /// The heat of each patch, `[height, width]`, row by row from the top left; never negative.
    public let values: [Float]

    /// Creates a map from values; negative and non-finite values, which a diverged model produces,
    /// count as 0.
    ///
    /// - Parameters:
    ///   - width: The number of patches per row.
    ///   - height: The number of rows.
    ///   - values: Exactly `height * width` values, row by row.
    public init(width: Int, height: Int, values: [Float]) {
        precondition(
            width > 0 && height > 0, "a map of \(width) x \(height) patches is empty")
        precondition(
            values.count == width * height,
            "\(values.count) values do not fill \(width) x \(height) patches")
        self.width = width
        self.height = height
        self.values = values.map { $0.isFinite ? max($0, 0) : 0 }
    }

    /// The sum of all values.
    public var total: Float { values.reduce(0, +) }

    /// The rows of values, top to bottom.
    public var rows: [[Float]] {
        (0..<height).map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    /// Returns the mean of maps that have the same size, or nil if there are none.
    static func mean(of maps: some Collection<HeatMap>) -> HeatMap? {
        guard let first = maps.first else { return nil }
        var sums = [Float](repeating: 0, count: first.values.count)
        for map in maps { for index in sums.indices { sums[index] += map.values[index] } }
        let scale = 1 / Float(maps.count)
        return HeatMap(width: first.width, height: first.height, values: sums.map { $0 * scale })
    }

    /// Returns the map at another size, scaled from 0 at its coolest place to 1 at its hottest; all
    /// 0 if the map is uniform.
    ///
    /// Cubic B-splines interpolate the values. They are smooth and never negative, and they blur
    /// about as much as the Gaussian that the original's visualisation adds to its cubic
    /// interpolation.
    ///
    /// - Returns: `[height, width]`, row by row.
    /// - Complexity: O(`height` × `width`) for the new size.
    package func spread(width newWidth: Int, height newHeight: Int) -> [Float] {
        let across = Self.spline(from: width, to: newWidth)
        let down = Self.spline(from: height, to: newHeight)
        var tall = [Float](repeating: 0, count: newHeight * width)
        for y in 0..<newHeight {
            for (row, weight) in down[y] {
                for x in 0..<width { tall[y * width + x] += weight * values[row * width + x] }
            }
        }
        var result = [Float](repeating: 0, count: newHeight * newWidth)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                var sum: Float = 0
                for (column, weight) in across[x] { sum += weight * tall[y * width + column] }
                result[y * newWidth + x] = sum
            }
        }
        let (low, high) = (result.min() ?? 0, result.max() ?? 0)
        // Rounding alone may cause differences within a uniform map.
        let scale = high - low > 1e-5 * high ? 1 / (high - low) : 0
        for index in result.indices { result[index] = (result[index] - low) * scale }
        return result
    }

    /// Returns the source places and weights for each of `newCount` places; places beyond the edge
    /// take the edge's value.
    private static func spline(from count: Int, to newCount: Int) -> [[(Int, Float)]] {
        (0..<newCount).map { index in
            let place = (Float(index) + 0.5) * Float(count) / Float(newCount) - 0.5
            let base = place.rounded(.down)
            let t = place - base
            let (t2, t3) = (t * t, t * t * t)
            let weights = [
                (1 - t) * (1 - t) * (1 - t) / 6, (3 * t3 - 6 * t2 + 4) / 6,
                (3 * (t + t2 - t3) + 1) / 6, t3 / 6,
            ]
            return weights.enumerated().map { offset, weight in
                (min(max(Int(base) + offset - 1, 0), count - 1), weight)
            }
        }
    }
}
