import ArgumentParser

/// Checks the values of numeric options.
package enum NumberBounds {
    /// Rejects a number outside its bounds with a usage error that names them.
    ///
    /// - Parameters:
    ///   - option: the option's name, such as `--top`.
    ///   - value: the given number; nil passes.
    ///   - bounds: the smallest and the largest accepted value.
    package static func check<Number: Comparable>(
        _ option: String, _ value: Number?, _ bounds: ClosedRange<Number>
    ) throws {
        // No range contains NaN.
        guard let value, !bounds.contains(value) else { return }
        throw ValidationError(
            "\(option) must be from \(text(bounds.lowerBound)) to \(text(bounds.upperBound)).")
    }

    private static func text<Number>(_ number: Number) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
