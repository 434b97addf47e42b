/// A small deterministic generator of random numbers: SplitMix64 (Steele, Lea and Flood, 2014).
///
/// Equal seeds and streams give equal numbers on every machine and with every Swift release, which
/// the standard library does not promise of `Int.random(in:using:)` and `shuffle(using:)`: use
/// ``uniform(in:)``, ``integer(below:)`` and ``shuffle(_:)`` where runs must be repeatable.
public struct SplitMix64: RandomNumberGenerator, Sendable, Hashable {
    private var state: UInt64

    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// A generator of its own for each combination of numbers.
    ///
    /// - Parameters:
    ///   - seed: What a run is started with.
    ///   - stream: What the numbers are for, such as an epoch and a row; order matters. Without
    ///     any this is SplitMix64 as published.
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

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mixed(state)
    }

    /// A number from `range`, its upper bound excluded unless the range is one number.
    ///
    /// - Parameter range: From 0 to 1 by default, in steps of 2⁻⁵³.
    public mutating func uniform(in range: ClosedRange<Double> = 0...1) -> Double {
        let unit = Double(next() >> 11) * 0x1p-53
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    /// An integer from 0 to `bound - 1`, each equally likely.
    ///
    /// - Parameter bound: At least 1.
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "an integer below \(bound)")
        let bound = UInt64(bound)
        // The low halves of products are spread evenly but for the first few (Lemire, 2019).
        let rejected = (0 &- bound) % bound
        var product = next().multipliedFullWidth(by: bound)
        while product.low < rejected { product = next().multipliedFullWidth(by: bound) }
        return Int(product.high)
    }

    /// Whether something of this probability happens.
    public mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// Puts elements in random order, each order equally likely (Fisher and Yates).
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, integer(below: last + 1))
        }
    }
}
