/// Reads elements ahead of their consumer, several at a time, and passes on the results in order.
struct ReadAhead<Element: Sendable, Output: Sendable>: Sendable {
    /// The number of elements that are read ahead, which bounds memory.
    private let ahead: Int
    private let leavesThreads: Bool
    private let read: @Sendable (Element) -> Output

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - ahead: The number of elements to read ahead.
    ///   - leavesThreads: Whether to read on background threads and keep Swift's concurrency threads
    ///     free; if false, reading runs where the task does.
    ///   - read: Reads one element, which may block.
    init(ahead: Int, leavesThreads: Bool, read: @escaping @Sendable (Element) -> Output) {
        self.ahead = ahead
        self.leavesThreads = leavesThreads
        self.read = read
    }

    /// Passes every result to a closure, in the order of the elements.
    ///
    /// - Throws: `CancellationError` if the task is cancelled; the errors of `body`.
    func callAsFunction(
        _ elements: [Element], _ body: (Output) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var started = 0
            func startNext() {
                guard started < elements.count else { return }
                let (position, element) = (started, elements[started])
                started += 1
                group.addTask {
                    let result: @Sendable () -> Output = { read(element) }
                    return (position, leavesThreads ? await onBackgroundThread(result) : result())
                }
            }
            for _ in 0..<ahead { startNext() }
            var finished: [Int: Output] = [:]
            var next = 0
            while let (position, result) = try await group.next() {
                finished[position] = result
                while let result = finished.removeValue(forKey: next) {
                    try Task.checkCancellation()
                    try await body(result)
                    next += 1
                    startNext()
                }
            }
        }
    }
}
