/// The tokens of a text while they are found.
struct TokenRun {
    /// The ids.
    var ids: [Int] = []
    /// After how many bytes of the piece each token ends; parallel to ``ids``.
    var ends: [Int] = []

    mutating func append(_ id: Int32, end: Int) {
        ids.append(Int(id))
        ends.append(end)
    }

    mutating func cut(to limit: Int) {
        guard ids.count > limit else { return }
        ids.removeLast(ids.count - limit)
        ends.removeLast(ends.count - limit)
    }
}
