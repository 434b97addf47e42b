import ArgumentParser

/// Checks numbers that are given as options.
enum NumberBounds {
    /// Refuses a number outside of its bounds with a usage error that names them.
    ///
    /// - Parameters:
    ///   - option: the option's name, such as `--top`.
    ///   - value: what was given; nil passes.
    ///   - bounds: the least and the largest value that make sense and that the program can bear.
    static func check<Number: Comparable>(
        _ option: String, _ value: Number?, _ bounds: ClosedRange<Number>
    ) throws {
        // What is not a number is in no range.
        guard let value, !bounds.contains(value) else { return }
        throw ValidationError(
            "\(option) must be from \(text(bounds.lowerBound)) to \(text(bounds.upperBound)).")
    }

    private static func text<Number>(_ number: Number) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
