/// A query together with its 8-bit form.
struct QuantizedQuery {
    let values: [Float]
    let codes: [Int8]
    let scale: Float
    /// The length of the rounding error.
    let error: Float
    let length: Float

    /// Rounds a query to 8 bits.
    ///
    /// - Throws: ``QueryError`` if a value or the length of the query is not finite.
    init(_ values: [Float]) throws {
        length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite else { throw QueryError.notFinite("the query's feature") }
        self.values = values
        let largest = max(values.reduce(0) { max($0, abs($1)) }, 1e-12)
        let scale = largest / 127
        // The rounded scale may make the largest value slightly more than 127.
        let codes = values.map { Int8(min(max(($0 / scale).rounded(), -127), 127)) }
        let difference = zip(values, codes).reduce(Float(0)) { sum, pair in
            let error = pair.0 - scale * Float(pair.1)
            return sum + error * error
        }
        self.scale = scale
        self.codes = codes
        error = difference.squareRoot()
    }
}
