/// An error that prevents processes from working together.
public struct ProcessGroupError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case variable, missing, gone, late, ended, store, connection
    }

    private let code: Code
    /// The cause of the error in one sentence.
    public let description: String
    /// The processes that are the cause, ascending; empty if they are unknown.
    public let ranks: [Int]

    private init(_ code: Code, _ ranks: [Int], _ description: String) {
        self.code = code
        self.ranks = ranks
        self.description = description
    }

    /// Creates an error that another process has found, from its own text.
    init(foundElsewhere description: String, ranks: [Int]) {
        self.init(.gone, ranks, description)
    }

    static func variable(_ name: String, _ problem: String) -> ProcessGroupError {
        ProcessGroupError(.variable, [], "the variable \(name) \(problem)")
    }

    /// The store did not answer.
    static func unreachable(_ place: String, rank: Int, _ reason: String) -> ProcessGroupError {
        ProcessGroupError(
            .store, [],
            "rank \(rank) could not reach the store at \(place) (MASTER_ADDR, MASTER_PORT): \(reason)"
        )
    }

    /// Some processes did not arrive at the beginning.
    static func missing(_ ranks: [Int], of count: Int, seconds: Double) -> ProcessGroupError {
        ProcessGroupError(
            .missing, ranks,
            "\(words(ranks)) of \(count) did not arrive within \(Int(seconds)) s: check that the"
                + " launcher started all processes, and that they reach MASTER_ADDR and MASTER_PORT"
        )
    }

    /// Processes gave no more signs of life.
    ///
    /// - Parameter places: the last known place of each, such as `step 7`.
    static func gone(
        _ ranks: [Int], of count: Int, places: [String]
    ) -> ProcessGroupError {
        ProcessGroupError(
            .gone, ranks,
            "\(words(ranks)) of \(count) \(ranks.count == 1 ? "is" : "are") gone: killed, crashed or"
                + " cut off\(last(ranks, places))")
    }

    /// Living processes did not reach a collective in time.
    static func late(
        _ ranks: [Int], of count: Int, places: [String], seconds: Double
    ) -> ProcessGroupError {
        ProcessGroupError(
            .late, ranks,
            "waited \(Int(seconds)) s for \(words(ranks)) of \(count), without an answer"
                + last(ranks, places))
    }

    /// A process ended by an error of its own.
    static func ended(_ rank: Int, of count: Int, because reason: String) -> ProcessGroupError {
        ProcessGroupError(.ended, [rank], "rank \(rank) of \(count) has ended: \(reason)")
    }

    /// The store is gone, with the process that served it.
    static func storeGone(_ place: String, isOurs: Bool, count: Int) -> ProcessGroupError {
        isOurs
            ? ProcessGroupError(
                .gone, [0],
                "rank 0 of \(count) is gone: killed, crashed or cut off (it served the store at"
                    + " \(place))")
            : ProcessGroupError(
                .store, [], "the store at \(place) is gone, which the launcher served")
    }

    /// A collective failed although all processes seem to live.
    static func connection(_ reason: String) -> ProcessGroupError {
        ProcessGroupError(.connection, [], "the connection to another process failed: \(reason)")
    }

    /// The number of ranks in words, such as `ranks 1 and 3`.
    private static func words(_ ranks: [Int]) -> String {
        let names = ranks.sorted().map(String.init)
        guard names.count > 1, let last = names.last else {
            return "rank \(names.first ?? "?")"
        }
        return "ranks \(names.dropLast().joined(separator: ", ")) and \(last)"
    }

    private static func last(_ ranks: [Int], _ places: [String]) -> String {
        guard places.contains(where: { !$0.isEmpty }) else { return "" }
        return zip(ranks, places).map { rank, place in
            ranks.count == 1 ? "; it was last at \(place)" : "; rank \(rank) was last at \(place)"
        }.joined()
    }
}
