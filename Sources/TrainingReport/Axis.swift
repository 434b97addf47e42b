import Foundation
import Storage

/// An axis with round ticks.
package struct Axis: Sendable {
    /// A labelled tick.
    package struct Tick: Sendable, Equatable {
        /// The position, from 0 at the lower end of the axis to 1.
        package let position: Double
        /// The number shown.
        package let label: String
    }

    /// The scale of an axis.
    package enum Scale: Sendable { case linear, logarithmic }

    /// The largest value shown; the difference of two larger ones may be infinite.
    private static let largestValue = 1e300

    /// The value at the lower end.
    package let lower: Double
    /// The value at the upper end.
    package let upper: Double
    /// The scale.
    package let scale: Scale
    /// The ticks, ascending.
    package private(set) var ticks: [Tick] = []
    /// The power of ten that the labels omit; 0 for none.
    package private(set) var exponent = 0

    /// Returns the position of a value, from 0 to 1 inside the axis.
    package func position(_ value: Double) -> Double {
        switch scale {
        case .linear: (value - lower) / (upper - lower)
        case .logarithmic: log(value / lower) / log(upper / lower)
        }
    }

    /// Creates an axis for values, with ticks at its ends.
    ///
    /// - Parameters:
    ///   - values: The values to show; those that are not numbers, or beyond 1e300, are ignored.
    ///   - includesZero: Whether zero is always shown; `false` by default.
    ///   - limit: The value that the axis does not exceed, such as 100 %; none by default.
    ///   - count: The approximate number of intervals between ticks; 6 by default.
    package static func values(
        _ values: some Sequence<Double>, includesZero: Bool = false, limit: Double? = nil,
        count: Int = 6
    ) -> Axis {
        let finite = values.filter { abs($0) <= largestValue }
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if includesZero { (low, high) = (min(low, 0), max(high, 0)) }
        if high - low <= 1e-9 * max(abs(low), abs(high)) {
            let margin = low == 0 ? 1 : abs(low) * 0.1
            (low, high) = (includesZero && low >= 0 ? low : low - margin, high + margin)
        }
        let step = roundStep((high - low) / Double(count))
        low = (low / step + 1e-9).rounded(.down) * step
        high = (high / step - 1e-9).rounded(.up) * step
        if let limit { high = min(high, limit) }
        var axis = Axis(lower: low, upper: high, scale: .linear)
        axis.placeTicks(every: step)
        return axis
    }

    /// Creates a logarithmic axis for positive values that span several powers of ten.
    package static func logarithmic(_ values: some Sequence<Double>) -> Axis {
        let positive = values.filter { $0.isFinite && $0 > 0 }
        let (low, high) = (positive.min() ?? 0.1, positive.max() ?? 1)
        // The ends are 1, 2 or 5 times a power of ten.
        let marks = (-300...300).lazy.flatMap { decade in
            [1, 2, 5].map { $0 * pow(10, Double(decade)) }
        }
        let lower = marks.last { $0 <= low * (1 + 1e-9) } ?? low
        let upper = marks.first { $0 >= high * (1 - 1e-9) && $0 > lower } ?? high
        var axis = Axis(lower: lower, upper: upper, scale: .logarithmic)
        let inside = marks.filter { $0 >= lower * (1 - 1e-9) && $0 <= upper * (1 + 1e-9) }
        let decades = inside.filter { abs(log10($0) - log10($0).rounded()) < 1e-6 }
        // If there are enough powers of ten, only they get ticks.
        let chosen = decades.count >= 4 ? Array(decades) : Array(inside)
        let stride = max(1, (chosen.count + 5) / 6)
        for index in chosen.indices where index % stride == 0 {
            let value = chosen[index]
            axis.ticks.append(
                Tick(position: axis.position(value), label: String(format: "%g", value)))
        }
        return axis
    }

    /// Creates an axis from the first step to the last, with ticks inside.
    package static func steps(_ values: some Sequence<Double>, count: Int = 5) -> Axis {
        let finite = values.filter { abs($0) <= largestValue }
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if low == high {
            let margin = max(1, (abs(low) * 1e-9).rounded())
            (low, high) = (low - margin, high + margin)
        } else if low > 0, low < 0.1 * high {
            low = 0
        }
        var axis = Axis(lower: low, upper: high, scale: .linear)
        axis.placeTicks(every: max(1, roundStep((high - low) / Double(count))))
        return axis
    }

    private mutating func placeTicks(every step: Double) {
        let largest = max(abs(lower), abs(upper))
        if largest < 0.01, largest > 0 { exponent = Int(log10(largest).rounded(.down)) }
        let factor = pow(10, Double(-exponent))
        let thousands = largest >= 10_000
        let unit = thousands ? 1000.0 : 1
        let decimals = Self.decimals(of: step * factor / unit)
        guard let first = Int(exactly: (lower / step - 1e-6).rounded(.up)),
            let last = Int(exactly: (upper / step + 1e-6).rounded(.down)), first <= last
        else { return }
        ticks = (first...last).compactMap { index in
            let value = Double(index) * step
            let position = position(value)
            guard (-1e-6...1 + 1e-6).contains(position) else { return nil }
            if index == 0 { return Tick(position: position, label: "0") }
            let number = NumberText.fixed(value * factor / unit, decimals)
            return Tick(position: position, label: thousands ? number + "k" : number)
        }
    }

    /// Returns the decimals needed for multiples of 1, 2 or 5 times a power of ten.
    private static func decimals(of step: Double) -> Int {
        max(0, -Int((log10(step) + 1e-9).rounded(.down)))
    }

    /// Returns the smallest 1, 2 or 5 times a power of ten that is not below `step`.
    static func roundStep(_ step: Double) -> Double {
        guard step > 0, step.isFinite else { return 1 }
        let power = pow(10, log10(step).rounded(.down))
        let mantissa = step / power
        return (mantissa <= 1.0001 ? 1 : mantissa <= 2.0001 ? 2 : mantissa <= 5.0001 ? 5 : 10)
            * power
    }
}
