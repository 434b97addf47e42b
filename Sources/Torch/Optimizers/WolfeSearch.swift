/// A search along a direction for a step that satisfies both Wolfe conditions (Nocedal and Wright,
/// "Numerical Optimization", algorithms 3.5 and 3.6).
///
/// The value must fall by a share of what the slope promises, and the slope must flatten.
struct WolfeSearch {
    /// Where the search begins.
    let origin: LBFGS.Sample
    /// The direction.
    let direction: Tensor
    /// The derivative of the function along the direction at the origin, which is negative.
    let slope: Double

    /// The share of the promised decrease that is needed.
    private static let decrease = 1e-4
    /// The share of the slope that may remain.
    private static let flatness = 0.9
    /// The most calls of the function.
    private static let mostSamples = 30
    /// The relative error of a value, below which a difference of values says nothing.
    private static let noise = 1e-14

    /// A step with the function at its end.
    private struct Step {
        let length: Double
        let sample: LBFGS.Sample
        let slope: Double
    }

    /// Finds a step.
    ///
    /// - Parameters:
    ///   - first: The length to try first.
    ///   - sample: Computes the function at a point.
    /// - Returns: The function at the end of the step; nil if no step lowers the value.
    func run(
        from first: Double, _ sample: (Tensor) throws -> LBFGS.Sample
    ) throws -> LBFGS.Sample? {
        var samples = 0
        func step(_ length: Double) throws -> Step {
            samples += 1
            let found = try sample(origin.point + direction * length)
            return Step(
                length: length, sample: found, slope: LBFGS.dot(direction, found.gradient))
        }
        var low = Step(length: 0, sample: origin, slope: slope)
        var next = try step(first)
        while samples < Self.mostSamples {
            if !isLowEnough(next) || next.sample.value >= low.sample.value && low.length > 0 {
                return try zoom(low, next, step, while: { samples < Self.mostSamples })
            }
            if isFlatEnough(next) { return next.sample }
            if next.slope >= 0 {
                return try zoom(next, low, step, while: { samples < Self.mostSamples })
            }
            (low, next) = (next, try step(2 * next.length))
        }
        return low.length > 0 ? low.sample : nil
    }

    /// Narrows an interval that contains a step: `low` has the lowest value so far and a slope
    /// towards `high`.
    private func zoom(
        _ low: Step, _ high: Step, _ step: (Double) throws -> Step, while goesOn: () -> Bool
    ) throws -> LBFGS.Sample? {
        var (low, high) = (low, high)
        while goesOn(), abs(high.length - low.length) * abs(low.slope) > 0 {
            let next = try step(Self.between(low, high))
            if !isLowEnough(next) || next.sample.value >= low.sample.value {
                high = next
            } else {
                if isFlatEnough(next) { return next.sample }
                if next.slope * (high.length - low.length) >= 0 { high = low }
                low = next
            }
        }
        return low.length > 0 ? low.sample : nil
    }

    /// Returns the minimum of the cubic through two steps, kept away from both.
    private static func between(_ a: Step, _ b: Step) -> Double {
        let middle = (a.length + b.length) / 2
        let width = b.length - a.length
        let sum = a.slope + b.slope - 3 * (b.sample.value - a.sample.value) / width
        let square = sum * sum - a.slope * b.slope
        guard square >= 0 else { return middle }
        let root = width > 0 ? square.squareRoot() : -square.squareRoot()
        let place = b.length - width * (b.slope + root - sum) / (b.slope - a.slope + 2 * root)
        let margin = 0.1 * abs(width)
        let (lowest, highest) = (min(a.length, b.length) + margin, max(a.length, b.length) - margin)
        return place.isFinite ? min(max(place, lowest), highest) : middle
    }

    /// Whether the value is as low as the slope promises, or equal as far as numbers tell.
    private func isLowEnough(_ step: Step) -> Bool {
        let value = step.sample.value
        guard value.isFinite else { return false }
        if value <= origin.value + Self.decrease * step.length * slope { return true }
        // Near the minimum, differences of values drown in rounding; the slopes still tell.
        let isEqual = abs(value - origin.value) <= Self.noise * max(1, abs(origin.value))
        return isEqual && step.slope <= (2 * Self.decrease - 1) * slope
    }

    private func isFlatEnough(_ step: Step) -> Bool { abs(step.slope) <= -Self.flatness * slope }
}
