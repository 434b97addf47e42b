import Testing
import Torch

@Suite("The variables of launchers")
struct LaunchVariableTests {
    private static let plain = [
        "MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "29400", "RANK": "3", "WORLD_SIZE": "8",
    ]
    private static let slurm = [
        "SLURM_PROCID": "5", "SLURM_NTASKS": "16", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "123456",
        "SLURM_JOB_NODELIST": "gpu[07-09,12],cpu1", "SLURM_LAUNCH_NODE_IPADDR": "10.1.2.3",
    ]

    @Test("Without variables, and with one process, there is no group")
    func alone() throws {
        #expect(try ProcessGroupConfiguration(environment: ["PATH": "/bin"]) == nil)
        let one = Self.plain.merging(["RANK": "0", "WORLD_SIZE": "1"]) { $1 }
        #expect(try ProcessGroupConfiguration(environment: one) == nil)
    }

    @Test("Plain variables")
    func plain() throws {
        let found = try #require(try ProcessGroupConfiguration(environment: Self.plain))
        #expect(found.rank == 3 && found.count == 8 && found.localRank == nil)
        #expect(found.host == "10.0.0.7" && found.port == 29400 && found.isStoreOurs)
    }

    @Test("Under torchrun, the agent serves the store")
    func torchrun() throws {
        let variables = Self.plain.merging([
            "LOCAL_RANK": "1", "TORCHELASTIC_USE_AGENT_STORE": "True",
            "TORCHELASTIC_RESTART_COUNT": "2",
        ]) { $1 }
        let found = try #require(try ProcessGroupConfiguration(environment: variables))
        #expect(found.localRank == 1 && !found.isStoreOurs)
    }

    @Test(
        "Slurm's variables",
        arguments: [
            ("gpu[07-09,12],cpu1", "gpu07"), ("a,b", "a"), ("node1", "node1"),
            ("x[3,5]y,z", "x3y"),
        ])
    func slurm(_ list: String, _ host: String) throws {
        let variables = Self.slurm.merging(["SLURM_JOB_NODELIST": list]) { $1 }
        let found = try #require(try ProcessGroupConfiguration(environment: variables))
        #expect(found.rank == 5 && found.count == 16 && found.localRank == 1)
        #expect(found.host == host && found.port == 23_456)
        #expect(found.isStoreOurs)
    }

    @Test("Under Slurm, a given host and port come first, and the launch node last")
    func meetingPoint() throws {
        let given = Self.slurm.merging(["MASTER_ADDR": "head", "MASTER_PORT": "1234"]) { $1 }
        let found = try #require(try ProcessGroupConfiguration(environment: given))
        #expect(found.host == "head" && found.port == 1234)
        let bare = Self.slurm.filter { $0.key != "SLURM_JOB_NODELIST" }
        #expect(try ProcessGroupConfiguration(environment: bare)?.host == "10.1.2.3")
    }

    @Test(
        "An error names the variable that is missing or wrong",
        arguments: [
            ("RANK", nil), ("RANK", "8"), ("RANK", "-1"), ("RANK", "one"), ("WORLD_SIZE", nil),
            ("WORLD_SIZE", "0"), ("WORLD_SIZE", ""), ("MASTER_ADDR", nil), ("MASTER_ADDR", ""),
            ("MASTER_PORT", nil), ("MASTER_PORT", "0"), ("MASTER_PORT", "65536"),
            ("LOCAL_RANK", "x"),
        ] as [(String, String?)])
    func wrong(_ name: String, _ value: String?) throws {
        var variables = Self.plain
        variables[name] = value
        let error = #expect(throws: ProcessGroupError.self) {
            try ProcessGroupConfiguration(environment: variables)
        }
        #expect(error?.description.hasPrefix("the variable \(name) ") == true, "\(error as Any)")
    }
}
