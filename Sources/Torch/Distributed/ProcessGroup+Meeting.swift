import Foundation

extension ProcessGroup {
    /// Connects to the store twice: for this process and for its watch.
    static func connect(
        _ configuration: ProcessGroupConfiguration, _ timeout: Duration
    ) throws(ProcessGroupError) -> (StoreHandle, StoreHandle) {
        let (rank, hosts) = (configuration.rank, configuration.isStoreOurs)
        func connection(_ hosts: Bool) throws(TorchError) -> StoreHandle {
            try StoreHandle(
                host: configuration.host, port: configuration.port, hosts: hosts,
                milliseconds: timeout.milliseconds)
        }
        do throws(TorchError) {
            return (try connection(hosts && rank == 0), try connection(false))
        } catch {
            throw .unreachable(
                "\(configuration.host):\(configuration.port)", rank: rank, error.description)
        }
    }

    /// Waits until all processes have arrived, and returns the names of their machines.
    static func meet(
        _ store: StoreHandle, _ watch: GroupWatch, _ configuration: ProcessGroupConfiguration,
        _ timeout: Duration
    ) throws -> [String] {
        let own = ProcessInfo.processInfo.hostName
        try store.set(watch.key("host", configuration.rank), Array(own.utf8))
        var hosts = [String?](repeating: nil, count: configuration.count)
        let start = ContinuousClock.now
        while true {
            for rank in hosts.indices where hosts[rank] == nil {
                hosts[rank] = try store.get(watch.key("host", rank))
                    .map { String(decoding: $0, as: UTF8.self) }
            }
            let missing = hosts.indices.filter { hosts[$0] == nil }
            if missing.isEmpty { return hosts.compactMap { $0 } }
            guard .now - start < timeout else {
                throw ProcessGroupError.missing(
                    missing, of: configuration.count, seconds: timeout.seconds)
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    var milliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
