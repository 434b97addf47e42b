/// The place of a process among those that a launcher has started, and where they meet.
///
/// It is read from the environment of torchrun, of Slurm's `srun`, or of any launcher that sets
/// `RANK`, `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT`.
public struct ProcessGroupConfiguration: Sendable, Hashable {
    /// The number of this process, from 0.
    public let rank: Int
    /// The number of processes.
    public let count: Int
    /// The number of this process among those on its machine; nil if the launcher does not say.
    public let localRank: Int?
    /// The host of the store in which the processes meet.
    public let host: String
    /// The port of the store.
    public let port: UInt16
    /// Whether the first process serves the store; otherwise the launcher does.
    public let isStoreOurs: Bool
    /// The beginning of every key, which differs from that of an earlier attempt of the same job.
    let keyPrefix: String

    /// Creates a configuration for processes that rank 0 lets meet.
    ///
    /// - Parameters:
    ///   - rank: the number of this process, in `0..<count`.
    ///   - count: the number of processes.
    ///   - localRank: the number of this process among those on its machine.
    ///   - host: the host of rank 0, as every process reaches it.
    ///   - port: a free port of that host.
    public init(rank: Int, count: Int, localRank: Int? = nil, host: String, port: UInt16) {
        precondition((0..<count).contains(rank), "the rank \(rank) is not in 0..<\(count)")
        self.init(
            rank: rank, count: count, localRank: localRank, host: host, port: port,
            isStoreOurs: true, keyPrefix: "albef/0/")
    }

    private init(
        rank: Int, count: Int, localRank: Int?, host: String, port: UInt16, isStoreOurs: Bool,
        keyPrefix: String
    ) {
        self.rank = rank
        self.count = count
        self.localRank = localRank
        self.host = host
        self.port = port
        self.isStoreOurs = isStoreOurs
        self.keyPrefix = keyPrefix
    }

    /// Reads the variables of a launcher.
    ///
    /// Each value is taken from the first of its variables that is set: the rank from `RANK` or
    /// `SLURM_PROCID`, the count from `WORLD_SIZE` or `SLURM_NTASKS`, the local rank from
    /// `LOCAL_RANK` or `SLURM_LOCALID`. The host is `MASTER_ADDR`; under Slurm, it can be left out:
    /// it is then the first host of `SLURM_JOB_NODELIST`, or `SLURM_LAUNCH_NODE_IPADDR`. The port
    /// is `MASTER_PORT`; under Slurm, it follows from `SLURM_JOB_ID` if it is left out.
    ///
    /// - Parameter variables: the variables of the environment, such as
    ///   `ProcessInfo.processInfo.environment`.
    /// - Returns: nil if no launcher has set its variables, or if there is only one process.
    /// - Throws: ``ProcessGroupError`` that names the variable which is missing or invalid.
    public init?(environment variables: [String: String]) throws(ProcessGroupError) {
        let given = LaunchVariables(variables)
        guard given.isLaunched else { return nil }
        let count = try given.number(given.countName, 1...100_000)
        let rank = try given.number(given.rankName, 0...count - 1)
        guard count > 1 else { return nil }
        let port = try given.port()
        let attempt = variables["TORCHELASTIC_RESTART_COUNT"] ?? "0"
        self.init(
            rank: rank, count: count, localRank: try given.localRank(below: count),
            host: try given.host(), port: port,
            isStoreOurs: variables["TORCHELASTIC_USE_AGENT_STORE"] != "True",
            keyPrefix: "albef/\(attempt)/")
    }
}

/// The variables that launchers set.
private struct LaunchVariables {
    private let variables: [String: String]
    private let isSlurm: Bool

    init(_ variables: [String: String]) {
        self.variables = variables
        // Users of Slurm often set only the host and the port by themselves.
        isSlurm =
            variables["RANK"] == nil && variables["WORLD_SIZE"] == nil
            && variables["SLURM_PROCID"] != nil
    }

    var isLaunched: Bool {
        isSlurm
            || ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]
                .contains { variables[$0] != nil }
    }

    var rankName: String { isSlurm ? "SLURM_PROCID" : "RANK" }
    var countName: String { isSlurm ? "SLURM_NTASKS" : "WORLD_SIZE" }

    private func text(_ name: String) throws(ProcessGroupError) -> String {
        guard let value = variables[name], !value.isEmpty else {
            throw .variable(
                name,
                isSlurm
                    ? "is not set; start the processes with srun"
                    : "is not set; a launcher sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT,"
                        + " and without any of them this process trains alone")
        }
        return value
    }

    func number(
        _ name: String, _ bounds: ClosedRange<Int>
    ) throws(ProcessGroupError) -> Int {
        let value = try text(name)
        guard let number = Int(value), bounds.contains(number) else {
            throw .variable(
                name,
                "is '\(value)', but must be a number from \(bounds.lowerBound) to"
                    + " \(bounds.upperBound)")
        }
        return number
    }

    func localRank(below count: Int) throws(ProcessGroupError) -> Int? {
        for name in ["LOCAL_RANK", "SLURM_LOCALID"] where variables[name] != nil {
            return try number(name, 0...count - 1)
        }
        return nil
    }

    func port() throws(ProcessGroupError) -> UInt16 {
        if isSlurm, variables["MASTER_PORT"] == nil {
            // All processes of a job derive the same port; two jobs rarely derive one.
            return UInt16(20_000 + (try number("SLURM_JOB_ID", 0...Int(Int32.max))) % 20_000)
        }
        return UInt16(try number("MASTER_PORT", 1...Int(UInt16.max)))
    }

    /// The host of rank 0.
    ///
    /// Slurm puts rank 0 on the first host of the list. The launch node comes second, because it is
    /// another machine if `srun` was called on a login node.
    func host() throws(ProcessGroupError) -> String {
        guard isSlurm, variables["MASTER_ADDR"] == nil else { return try text("MASTER_ADDR") }
        for name in ["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"] {
            guard let list = variables[name] else { continue }
            guard let first = Self.firstHost(of: list) else {
                throw .variable(name, "is '\(list)', which is not a list of hosts")
            }
            return first
        }
        return try text("SLURM_LAUNCH_NODE_IPADDR")
    }

    /// Returns the first host of a list such as `gpu[07-09,12],cpu1`.
    static func firstHost(of list: String) -> String? {
        guard let open = list.firstIndex(where: { $0 == "[" || $0 == "," }), list[open] == "["
        else {
            return list.split(separator: ",", omittingEmptySubsequences: false).first
                .flatMap { $0.isEmpty ? nil : String($0) }
        }
        guard let close = list[open...].firstIndex(of: "]") else { return nil }
        let numbers = list[list.index(after: open)..<close]
        let end = list[close...].firstIndex(of: ",") ?? list.endIndex
        guard let first = numbers.split(whereSeparator: { $0 == "-" || $0 == "," }).first
        else { return nil }
        return String(list[..<open] + first + list[list.index(after: close)..<end])
    }
}
