/// An exchange of a tensor between processes that is in progress.
public final class Collective: Sendable {
    private let work: WorkHandle
    private let tensor: Tensor
    private let group: ProcessGroup
    private let begun: Int
    private let limit: Duration
    private let start = ContinuousClock.now

    /// The time after which waiting looks for processes that are gone.
    private static let slice = 200

    init(_ work: WorkHandle, on tensor: Tensor, of group: ProcessGroup, begun: Int, limit: Duration)
    {
        self.work = work
        self.tensor = tensor
        self.group = group
        self.begun = begun
        self.limit = limit
    }

    /// Waits until the exchange has ended, and returns its result.
    ///
    /// - Throws: ``ProcessGroupError`` that names the process by which it failed, or that has not
    ///   begun it in time.
    public func wait() throws -> Tensor {
        while true {
            if let failure = group.failure { throw failure }
            do throws(TorchError) {
                if try work.wait(milliseconds: Self.slice) { return tensor }
            } catch {
                guard !error.isRecoverable else { throw error }
                throw group.failed(by: error, begun: begun)
            }
            if group.isAlarmed { throw group.failed(by: nil, begun: begun) }
            guard .now - start < limit else {
                throw group.failed(by: nil, begun: begun, waited: limit)
            }
        }
    }
}
