import ALBEFTraining
import Foundation

/// A curve: values over steps, with gaps where a value is not a number.
package struct Series: Sendable, Equatable {
    package struct Point: Sendable, Equatable {
        package var x: Double
        package var y: Double

        package init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    package var points: [Point]

    package init(points: [Point]) { self.points = points }

    /// One value of each step; `nil` where no step has it.
    init?(_ steps: [StepMetrics], _ value: (StepMetrics) -> Double?) {
        points = steps.compactMap { step in
            value(step).map { Point(x: Double(step.step), y: $0) }
        }
        if points.isEmpty { return nil }
    }

    /// The values that are numbers.
    var finite: some Sequence<Double> { points.lazy.map(\.y).filter(\.isFinite) }

    /// A moving average that looks both ways, so that it does not lag behind, with weights that
    /// fall off exponentially.
    ///
    /// Their time constant is a hundredth of the curve, from 3 to 200 points. Gaps stay gaps, and
    /// are passed over.
    package var smoothed: Series {
        let constant = min(max(Double(points.count) / 100, 3), 200)
        let decay = exp(-1 / constant)
        let before = Self.sums(points, decay)
        let after = Self.sums(points.reversed(), decay).reversed()
        return Series(
            points: zip(points, zip(before, after)).map { point, sums in
                guard point.y.isFinite else { return Point(x: point.x, y: .nan) }
                // The point itself is in both.
                let sum = sums.0.sum + sums.1.sum - point.y
                return Point(x: point.x, y: sum / (sums.0.weight + sums.1.weight - 1))
            })
    }

    /// The decaying sum of the values up to each point, and of their weights.
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

    /// The curve with at most four points for each of `buckets` stretches.
    ///
    /// They are where it begins and ends, its lowest and its highest, in their order, so that no
    /// peak is lost. A stretch without any number is a gap.
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

    /// The stretches without gaps.
    package var runs: [ArraySlice<Point>] {
        points.split { !$0.y.isFinite }
    }
}
