import Foundation
import SystemPackage
import Testing

/// Several `albef pretrain` processes that train together on this machine.
struct Ranks {
    let processes: [Process]
    private let logs: [FilePath]

    /// Starts the processes with the variables that a plain launcher sets.
    init(_ count: Int, _ arguments: [String], folder: FilePath) throws {
        let port = try Self.freePort()
        let started = try (0..<count).map { rank in
            try Command.start(
                arguments, folder: folder,
                environment: [
                    "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)", "RANK": "\(rank)",
                    "WORLD_SIZE": "\(count)",
                ])
        }
        processes = started.map(\.0)
        logs = started.map(\.1)
    }

    /// Waits for all processes and returns their exit statuses and errors by rank.
    func ended() async throws -> [(status: Int32, errors: String)] {
        var results: [(Int32, String)] = []
        for (process, log) in zip(processes, logs) {
            await process.exited()
            let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            results.append((process.terminationStatus, errors))
        }
        return results
    }

    /// A port of the loopback device that was free a moment ago.
    static func freePort() throws -> UInt16 {
        let end = socket(AF_INET, sockaddr.streamType, 0)
        defer { close(end) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(end, $0, size) == 0 && getsockname(end, $0, &size) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }
}

extension sockaddr {
    fileprivate static var streamType: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_STREAM.rawValue)
        #else
            SOCK_STREAM
        #endif
    }
}
