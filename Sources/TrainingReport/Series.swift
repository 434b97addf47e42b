import ALBEFTraining
import Foundation

/// A curve: values over steps, with gaps at values that are not numbers.
package struct Series: Sendable, Equatable {
    /// A point of a curve.
    package struct Point: Sendable, Equatable {
        /// The step.
        package var x: Double
        /// The value; a gap if it is not finite.
        package var y: Double

        /// Creates a point.
        package init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// The points, ascending by step.
    package var points: [Point]

    /// Creates a curve from its points.
    package init(points: [Point]) { self.points = points }

    /// Creates the curve of one value over all steps that have it; `nil` if no step has it.
    init?(_ steps: [StepMetrics], _ value: (StepMetrics) -> Double?) {
        points = steps.compactMap { step in
            value(step).map { Point(x: Double(step.step), y: $0) }
        }
        if points.isEmpty { return nil }
    }

    /// The finite values.
    var finite: some Sequence<Double> { points.lazy.map(\.y).filter(\.isFinite) }

    /// A moving average over both sides of each point, with exponentially decaying weights.
    ///
    /// Because it uses both sides, it does not lag. The time constant is a hundredth of the number
    /// of points, but at least 3 and at most 200. Gaps remain gaps and have no weight.
    ///
    /// - Complexity: O(*n*) for *n* points.
    package var smoothed: Series {
        let constant = min(max(Double(points.count) / 100, 3), 200)
        let decay = exp(-1 / constant)
        let before = Self.sums(points, decay)
        let after = Self.sums(points.reversed(), decay).reversed()
        return Series(
            points: zip(points, zip(before, after)).map { point, sums in
                guard point.y.isFinite else { return Point(x: point.x, y: .nan) }
                // Both sums include the point itself.
                let sum = sums.0.sum + sums.1.sum - point.y
                return Point(x: point.x, y: sum / (sums.0.weight + sums.1.weight - 1))
            })
    }

    /// Returns, for each point, the decaying sums of the values and the weights up to it.
    private static func sums(
        _ points: [Point], _ decay: Double
    ) -> [(sum: Double, weight: Double)] {
        var (sum, weight) = (0.0, 0.0)
        return points.map { point in
            if point.y.isFinite {
                sum = sum * decay + point.y
                weight = weight * decay + 1
            }
            return (sum, weight)
        }
    }

    /// Returns the curve with at most four points for each of `buckets` sections.
    ///
    /// A section keeps its first, last, lowest and highest point, in order, so that no peak is
    /// lost. A section without finite values becomes a gap.
    package func reduced(to buckets: Int) -> Series {
        guard points.count > 4 * buckets else { return self }
        var kept: [Point] = []
        for bucket in 0..<buckets {
            let start = points.count * bucket / buckets
            let end = points.count * (bucket + 1) / buckets
            let indices = (start..<end).filter { points[$0].y.isFinite }
            guard let first = indices.first, let last = indices.last,
                let low = indices.min(by: { points[$0].y < points[$1].y }),
                let high = indices.max(by: { points[$0].y < points[$1].y })
            else {
                kept.append(Point(x: points[start].x, y: .nan))
                continue
            }
            for index in Set([first, low, high, last]).sorted() { kept.append(points[index]) }
        }
        return Series(points: kept)
    }

    /// The sections between gaps.
    package var runs: [ArraySlice<Point>] {
        points.split { !$0.y.isFinite }
    }
}
