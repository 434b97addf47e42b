import Foundation
import Synchronization
import Testing

import Torch

@Suite("Process groups", .timeLimit(.minutes(30)))
struct ProcessGroupTests {
    /// Runs `body` in one thread per rank, as separate processes would.
    ///
    /// All threads start at once, however late tasks get their turns.
    private static func ranks<Success: Sendable>(
        _ count: Int, timeout: Duration = .seconds(60),
        _ body: @escaping @Sendable (ProcessGroup) throws -> Success
    ) async throws -> [Result<Success, any Error>] {
        let port = try freePort()
        let ranks = (0..<count).map { rank in
            let (outcome, continuation) = AsyncStream.makeStream(
                of: Result<Success, any Error>.self)
            Thread.detachNewThread {
                continuation.yield(
                    Result {
                        let group = try ProcessGroup(
                            .init(rank: rank, count: count, host: "127.0.0.1", port: port),
                            timeout: timeout)
                        let result = Result { try body(group) }
                        if case .failure(let error) = result {
                            group.leave(because: error)
                        } else {
                            group.leave()
                        }
                        return try result.get()
                    })
                continuation.finish()
            }
            return outcome
        }
        var results: [Result<Success, any Error>] = []
        for outcome in ranks { for await result in outcome { results.append(result) } }
        return results
    }

    @Test("Sums, joins and copies tensors of three processes")
    func collectives() async throws {
        let results = try await Self.ranks(3) { group in
            let own = Tensor([Float(group.rank), 1])
            let sum = try group.allReduce(own).wait().values(as: Float.self)
            let rows = try group.allGather(Tensor([group.rank, 7], shape: [1, 2]))
            let copy = try group.broadcast(own, from: 2).values(as: Float.self)
            try group.barrier()
            let bytes = try group.allGather(
                bytes: Array(String(repeating: "x", count: group.rank).utf8))
            #expect(own.values(as: Float.self) == [Float(group.rank), 1])
            return (sum, rows.values(as: Int.self), copy, bytes.map(\.count), group.localCount)
        }
        for result in results {
            let (sum, rows, copy, lengths, local) = try result.get()
            #expect(sum == [3, 3] && rows == [0, 7, 1, 7, 2, 7] && copy == [2, 1])
            #expect(lengths == [0, 1, 2] && local == 3)
        }
    }

    @Test("The gradients of joined rows come back to their process")
    func gradients() async throws {
        let results = try await Self.ranks(2) { group in
            let own = Tensor([Float(group.rank + 1)], shape: [1, 1]).requiringGrad()
            let all = try group.allGather(own * 2)
            // Each process weighs all rows differently.
            let weights = Tensor([1, 10] as [Float], shape: [2, 1]) * Double(group.rank + 1)
            try (all * weights).sum().backward()
            return own.grad?.values(as: Float.self) ?? []
        }
        #expect(try results.map { try $0.get() } == [[2 * 1 * 3], [2 * 10 * 3]])
    }

    @Test("Averaged gradients are those of the mean of the losses", arguments: [1, 1 << 20])
    func averages(_ bucketBytes: Int) async throws {
        let results = try await Self.ranks(2) { group in
            let parameters = (0..<3).map {
                Parameter(name: "p\($0)", value: Tensor([1, 2] as [Float]).requiringGrad())
            }
            let averager = try GradientAverager(
                parameters, group: group, bucketBytes: bucketBytes)
            var found: [[Float]?] = []
            for _ in 0..<2 {
                for parameter in parameters { parameter.value.setGrad(nil) }
                averager.arm()
                // One parameter is used by the second process alone, another by none.
                var loss = (parameters[0].value * Double(group.rank + 1)).sum()
                if group.rank == 1 { loss = loss + parameters[1].value.sum() }
                try loss.backward()
                try averager.finish()
                found = parameters.map { $0.value.grad?.values(as: Float.self) }
            }
            return found
        }
        for result in results { #expect(try result.get() == [[1.5, 1.5], [0.5, 0.5], nil]) }
    }

    @Test("An error in one process is the reason that the others report")
    func ended() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "the disk is full" }
        let results = try await Self.ranks(3) { group in
            group.note(place: "step 4")
            try group.barrier()
            if group.rank == 1 { throw Broken() }
            try group.barrier()
        }
        for (rank, result) in results.enumerated() where rank != 1 {
            let error = #expect(throws: ProcessGroupError.self) { try result.get() }
            #expect(error?.description == "rank 1 of 3 has ended: the disk is full")
            #expect(error?.ranks == [1])
        }
    }

    @Test("A process that does not reach a collective in time is named, with its place")
    func late() async throws {
        let hasFailed = Mutex(false)
        let results = try await Self.ranks(2, timeout: .seconds(1)) { group in
            group.note(place: "step \(group.rank)")
            if group.rank == 1 {
                // Alive, but elsewhere, until the other one has given up.
                while !hasFailed.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
                return ""
            }
            defer { hasFailed.withLock { $0 = true } }
            do {
                try group.barrier()
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(
            try results[0].get()
                == "waited 1 s for rank 1 of 2, without an answer; it was last at step 1")
    }

    @Test("Processes that never arrive are named")
    func missing() throws {
        let error = #expect(throws: ProcessGroupError.self) {
            try ProcessGroup(
                .init(rank: 0, count: 3, host: "127.0.0.1", port: Self.freePort()),
                timeout: .milliseconds(300))
        }
        #expect(error?.ranks == [1, 2])
        #expect(error?.description.hasPrefix("ranks 1 and 2 of 3 did not arrive") == true)
    }

    private static func freePort() throws -> UInt16 {
        #if canImport(Glibc)
            let type = Int32(SOCK_STREAM.rawValue)
        #else
            let type = SOCK_STREAM
        #endif
        let end = socket(AF_INET, type, 0)
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
