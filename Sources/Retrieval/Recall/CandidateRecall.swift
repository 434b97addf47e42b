public import Torch

/// One query of the first stage: a feature, and what its candidates must fulfil.
public struct RecallRequest: Sendable {
    /// A unit-length feature `[E]`.
    public var feature: Tensor
    /// The maximum number of candidates.
    public var count: Int
    /// Conditions on metadata, all of which must hold; none by default.
    public var filters: [MetadataFilter]
    /// The method of the embedded index to use; nil leaves the choice to the recall.
    public var method: RecallMethod?
    /// The limit of the work.
    ///
    /// By default only cancellation of the current task ends it early.
    public var limit: WorkLimit

    /// Creates a request.
    public init(
        feature: Tensor, count: Int, filters: [MetadataFilter] = [], method: RecallMethod? = nil,
        limit: WorkLimit = WorkLimit()
    ) {
        self.feature = feature
        self.count = count
        self.filters = filters
        self.method = method
        self.limit = limit
    }
}

/// What proposes candidates to a ``Searcher``: the index itself, or a store outside of the process.
///
/// Similarities are always computed from the features of the index, so two recalls differ at most
/// in which entries they propose.
public protocol CandidateRecall: Sendable {
    /// A short name for logs and metrics, such as `embedded`.
    var kind: String { get }

    /// Returns the candidates of each request, nearest first.
    ///
    /// - Parameters:
    ///   - requests: The requests, which may share work.
    ///   - index: The snapshot whose entries the candidates are.
    ///   - locator: Finds entries of the index by their keys.
    /// - Returns: For each request its candidates or an error, in order.
    func candidates(
        for requests: [RecallRequest], in index: ForwardIndex, locator: EntryLocator
    ) -> [Result<[Candidate], any Error>]
}

/// The recall of the index itself: all entries are compared, or a graph leads to the near ones.
///
/// This is the default. It needs nothing besides the index.
public struct EmbeddedRecall: CandidateRecall {
    /// The name `embedded`.
    public var kind: String { "embedded" }

    /// Creates the recall.
    public init() {}

    /// Returns the candidates of each request; see
    /// ``ForwardIndex/recall(_:count:filters:method:)``.
    public func candidates(
        for requests: [RecallRequest], in index: ForwardIndex, locator: EntryLocator
    ) -> [Result<[Candidate], any Error>] {
        requests.map { request in
            Result {
                try request.limit.check()
                return try index.recall(
                    request.feature, count: request.count, filters: request.filters,
                    method: request.method)
            }
        }
    }
}
