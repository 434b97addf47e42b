/// Minimizes a smooth function of one tensor by L-BFGS (Liu and Nocedal, 1989).
///
/// Each step divides the gradient by an estimate of the curvature, from the last few steps, and
/// searches along this direction until both Wolfe conditions hold. It needs the function and its
/// gradient over all data, without noise; for batches of data use ``AdamW``.
///
/// ```swift
/// let found = try LBFGS().minimize(from: .zeros([2], dtype: .float64)) { x in
///     let errors = x - Tensor([1, 2] as [Double])
///     return ((errors * errors).sum().scalar(), errors * 2)
/// }
/// ```
public struct LBFGS: Sendable {
    /// The number of earlier steps that estimate the curvature; 10 by default.
    public var historySize = 10
    /// The most steps; 1,000 by default.
    public var maximumIterations = 1000
    /// The largest component of the gradient at which the search ends; 1e-6 by default.
    public var gradientTolerance = 1e-6

    /// Creates an optimizer with the default settings.
    public init() {}

    /// A minimum.
    public struct Minimum: Sendable {
        /// The point.
        public var point: Tensor
        /// The value of the function there.
        public var value: Double
        /// The largest component of the gradient there.
        public var gradientSize: Double
        /// The number of steps.
        public var iterations: Int
        /// Whether the gradient is within the tolerance, rather than that the steps were used up or
        /// no step lowered the value any more.
        public var isConverged: Bool
    }

    /// Minimizes a function.
    ///
    /// - Parameters:
    ///   - start: The first point, in double precision unless a rough minimum suffices.
    ///   - function: Returns the value and the gradient at a point; the gradient has the point's
    ///     shape.
    /// - Returns: The lowest point that was found.
    /// - Throws: The errors of `function`.
    /// - Complexity: One or two calls of `function` per step as a rule, and O(n · h) for n elements
    ///   and h earlier steps, of which memory holds the points and gradients.
    public func minimize(
        from start: Tensor, _ function: (Tensor) throws -> (value: Double, gradient: Tensor)
    ) throws -> Minimum {
        try withoutGradients {
            func sample(_ point: Tensor) throws -> Sample {
                let (value, gradient) = try function(point)
                return Sample(point: point, value: value, gradient: gradient)
            }
            var current = try sample(start)
            var history = History(size: historySize)
            var iterations = 0
            while iterations < maximumIterations, current.gradientSize > gradientTolerance {
                var direction = history.direction(against: current.gradient)
                var slope = Self.dot(direction, current.gradient)
                if slope >= 0 {
                    // Rounding spoiled the estimate: begin again with the gradient alone.
                    history = History(size: historySize)
                    direction = -current.gradient
                    slope = Self.dot(direction, current.gradient)
                }
                // Without curvature, the length of a gradient says nothing about that of a step.
                let first =
                    history.isEmpty
                    ? min(1, 1 / max(current.gradientSize, .leastNormalMagnitude))
                    : 1
                let search = WolfeSearch(origin: current, direction: direction, slope: slope)
                guard let next = try search.run(from: first, sample) else {
                    if history.isEmpty { break }
                    history = History(size: historySize)
                    continue
                }
                history.append(
                    step: next.point - current.point, change: next.gradient - current.gradient)
                current = next
                iterations += 1
            }
            return Minimum(
                point: current.point, value: current.value, gradientSize: current.gradientSize,
                iterations: iterations, isConverged: current.gradientSize <= gradientTolerance)
        }
    }

    static func dot(_ a: Tensor, _ b: Tensor) -> Double { (a * b).sum().scalar() }

    /// The function at one point.
    struct Sample {
        let point: Tensor
        let value: Double
        let gradient: Tensor

        var gradientSize: Double { gradient.abs().max().scalar() }
    }

    /// The last steps and the changes of the gradient that they made.
    private struct History {
        private struct Pair {
            let step, change: Tensor
            let curvature: Double
        }

        private let size: Int
        private var pairs: [Pair] = []

        init(size: Int) { self.size = size }

        var isEmpty: Bool { pairs.isEmpty }

        mutating func append(step: Tensor, change: Tensor) {
            let curvature = LBFGS.dot(step, change)
            // Without positive curvature, the estimate would point uphill.
            guard curvature > 1e-12 * LBFGS.dot(change, change) else { return }
            if pairs.count == size { pairs.removeFirst() }
            pairs.append(Pair(step: step, change: change, curvature: curvature))
        }

        /// Returns the direction of the next step: the gradient over the estimated curvature, by the
        /// two loops of Nocedal (1980).
        func direction(against gradient: Tensor) -> Tensor {
            var direction = -gradient
            var factors: [Double] = []
            for pair in pairs.reversed() {
                let factor = LBFGS.dot(pair.step, direction) / pair.curvature
                direction = direction - pair.change * factor
                factors.append(factor)
            }
            if let last = pairs.last {
                direction = direction * (last.curvature / LBFGS.dot(last.change, last.change))
            }
            for (pair, factor) in zip(pairs, factors.reversed()) {
                let correction = LBFGS.dot(pair.change, direction) / pair.curvature
                direction = direction + pair.step * (factor - correction)
            }
            return direction
        }
    }
}
