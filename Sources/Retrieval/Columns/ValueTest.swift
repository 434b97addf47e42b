/// The values that fulfil a condition, by their numbers counted from 1.
enum ValueTest {
    /// The values of a range do, or with `isInverted` all others and a missing value.
    case range(Range<Int>, isInverted: Bool)
    /// The verdict on a missing value, and then on each value.
    case each([Bool])

    init(
        _ filter: MetadataFilter, count: Int, isSorted: Bool,
        _ value: (Int) throws -> FieldValue
    ) throws {
        guard isSorted else {
            self = .each(
                [filter.holds(nil)] + (try (0..<count).map { filter.holds(try value($0)) }))
            return
        }
        /// Returns the number of leading values that fulfil the condition with another comparison.
        func leading(_ comparison: MetadataFilter.Comparison) throws -> Int {
            let filter = MetadataFilter(filter.name, comparison, filter.value)
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                if filter.holds(try value(middle)) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        let less = try leading(.less)
        let atMost = max(less, try leading(.atMost))
        let range =
            switch filter.comparison {
            case .less: 0..<less
            case .atMost: 0..<atMost
            case .greater: atMost..<count
            case .atLeast: less..<count
            case .equals, .differs: less..<atMost
            }
        self = .range(
            range.lowerBound + 1..<range.upperBound + 1, isInverted: filter.comparison == .differs)
    }
}
