/// A small deterministic random number generator: SplitMix64 (Steele, Lea and Flood, 2014).
///
/// Equal seeds and streams yield equal numbers on every machine and with every Swift release. The
/// standard library does not promise this for `Int.random(in:using:)` and `shuffle(using:)`; use
/// ``uniform(in:)``, ``integer(below:)`` and ``shuffle(_:)`` for repeatable runs.
public struct SplitMix64: RandomNumberGenerator, Sendable, Hashable {
    private var state: UInt64

    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Creates an independent generator for each combination of numbers.
    ///
    /// - Parameters:
    ///   - seed: The seed of a run.
    ///   - stream: The purpose of the numbers, such as an epoch and a row, in a fixed order.
    ///     Without a stream, this is SplitMix64 as published.
    public init(seed: UInt64, stream: Int...) {
        state = seed
        for value in stream {
            state = Self.mixed(state &+ Self.step) ^ UInt64(bitPattern: Int64(value))
            state = Self.mixed(state &+ Self.step)
        }
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Returns the next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mixed(state)
    }

    /// Returns a number in `range`, excluding its upper bound unless both bounds are equal.
    ///
    /// - Parameter range: The range, 0 to 1 by default; its numbers are then multiples of 2⁻⁵³.
    public mutating func uniform(in range: ClosedRange<Double> = 0...1) -> Double {
        let unit = Double(next() >> 11) * 0x1p-53
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    /// Returns an integer from 0 to `bound - 1`, each with the same probability.
    ///
    /// - Parameter bound: The exclusive upper bound, at least 1.
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "the upper bound is \(bound), but must be positive")
        let bound = UInt64(bound)
        // Low halves of products are uniform once the first few are rejected (Lemire, 2019).
        let rejected = (0 &- bound) % bound
        var product = next().multipliedFullWidth(by: bound)
        while product.low < rejected { product = next().multipliedFullWidth(by: bound) }
        return Int(product.high)
    }

    /// Returns `true` with the given probability.
    public mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// Shuffles the elements, each order with the same probability (Fisher and Yates).
    ///
    /// - Complexity: O(*n*) for *n* elements.
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, integer(below: last + 1))
        }
    }
}
