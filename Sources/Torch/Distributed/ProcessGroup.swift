import Foundation
import Synchronization

/// Processes that exchange tensors: through Gloo for tensors of the processor, through NCCL for
/// those of CUDA GPUs.
///
/// All processes must call the same functions in the same order. A process that is killed, ends by
/// an error or does not arrive makes these functions throw a ``ProcessGroupError`` in the others,
/// which names it; the group cannot be used any more then.
///
/// ```swift
/// if let launch = try ProcessGroupConfiguration(environment: variables) {
///     let group = try ProcessGroup(launch, device: .cpu, timeout: .seconds(600))
///     let sum = try group.allReduce(Tensor([Float(group.rank)])).wait()
///     group.leave()
/// }
/// ```
public final class ProcessGroup: Sendable {
    /// The number of this process, from 0.
    public let rank: Int
    /// The number of processes.
    public let count: Int
    /// The number of these processes on this machine.
    public let localCount: Int
    /// The time after which a collective fails because a process has not begun it.
    public let timeout: Duration
    /// The device of all tensors.
    public let device: Device
    let watch: GroupWatch
    private let configuration: ProcessGroupConfiguration
    private let store: StoreHandle
    /// The connections for collectives that the caller waits for.
    private let connections: GroupHandle
    /// The connections for collectives that run beside them, so that neither order depends on the
    /// other.
    private let background: GroupHandle
    private let state = Mutex<(failure: ProcessGroupError?, hasLeft: Bool)>((nil, false))

    /// Meets the other processes and connects with each of them.
    ///
    /// Connections use the network device by which this machine reaches the host of the
    /// configuration, or the one that the variable `GLOO_SOCKET_IFNAME` names.
    ///
    /// - Parameters:
    ///   - configuration: this process's place and the meeting point.
    ///   - device: the device of all tensors; the processor by default.
    ///   - timeout: the time to wait for the others, here and in each collective; 10 minutes by
    ///     default.
    /// - Throws: ``ProcessGroupError`` that names the processes which do not arrive, and
    ///   ``TorchError`` if the device has no backend in this libtorch.
    public init(
        _ configuration: ProcessGroupConfiguration, device: Device = .cpu,
        timeout: Duration = .seconds(600)
    ) throws {
        self.configuration = configuration
        (rank, count) = (configuration.rank, configuration.count)
        (self.device, self.timeout) = (device, timeout)
        let (store, another) = try Self.connect(configuration, timeout)
        let watch = GroupWatch(configuration)
        self.store = store
        self.watch = watch
        let hosts = try Self.meet(store, watch, configuration, timeout)
        localCount = max(1, hosts.count { $0 == hosts[configuration.rank] })
        func connect(_ name: String) throws -> GroupHandle {
            try GroupHandle(
                store, name: configuration.keyPrefix + name, rank: configuration.rank,
                count: configuration.count, device: device, host: configuration.host,
                // Waiting is limited here, where the missing process can be named.
                milliseconds: timeout.milliseconds * 2 + 60_000)
        }
        connections = try connect("direct")
        background = try connect("background")
        watch.start(another)
    }

    deinit { watch.stop() }

    /// The failure that ended the group; nil as long as it works.
    public var failure: ProcessGroupError? { state.withLock { $0.failure } }

    /// Tells the others where this process is, in words such as `step 7`.
    ///
    /// If it is killed, their errors contain the place.
    public func note(place: String) { watch.note(place: place) }

    /// Replaces a tensor by its sum over all processes.
    ///
    /// - Parameter tensor: a tensor of the same shape and type in every process.
    /// - Returns: the work in progress; the tensor itself does not change.
    public func allReduce(_ tensor: Tensor) throws -> Collective {
        try startSum(tensor.detached().clone().contiguous(), on: connections)
    }

    /// Starts to sum a tensor that nobody else uses, beside the other collectives.
    package func sumBeside(_ tensor: Tensor) throws -> Collective {
        try startSum(tensor.contiguous(), on: background)
    }

    private func startSum(_ tensor: Tensor, on group: GroupHandle) throws -> Collective {
        try start(tensor) { (time) throws(TorchError) in
            try group.allReduce(tensor.handle, milliseconds: time)
        }
    }

    /// Joins the rows of all processes by rank.
    ///
    /// The gradient of a row is the sum of its gradients in all processes, which the backward pass
    /// exchanges. So every process must compute it.
    ///
    /// - Parameter tensor: rows `[N, ...]`, of the same shape and type in every process.
    /// - Returns: `[count · N, ...]`.
    public func allGather(_ tensor: Tensor) throws -> Tensor {
        guard tensor.requiresGrad else { return try gather(tensor) }
        let (rows, rank) = (tensor.size(0), rank)
        return Tensor(
            handle: try Libtorch.custom(
                tensor.handle, forward: { try self.gather($0) },
                backward: { gradient in
                    try self.startSum(gradient.clone().contiguous(), on: self.connections).wait()[
                        rank * rows..<(rank + 1) * rows
                    ].contiguous()
                }))
    }

    private func gather(_ tensor: Tensor) throws -> Tensor {
        let own = tensor.detached().contiguous()
        let all = Tensor.zeros(
            [own.size(0) * count] + own.shape.dropFirst(), dtype: own.dtype, device: own.device)
        return try start(all) { (time) throws(TorchError) in
            try connections.allGather(own.handle, into: all.handle, milliseconds: time)
        }.wait()
    }

    /// Returns the tensor of one process in all of them.
    ///
    /// - Parameters:
    ///   - tensor: a tensor of the same shape and type in every process.
    ///   - source: the rank of the process whose elements are returned.
    ///   - timeout: the time to wait; nil, the default, for ``timeout``.
    public func broadcast(
        _ tensor: Tensor, from source: Int, timeout: Duration? = nil
    ) throws -> Tensor {
        let own = tensor.detached().clone().contiguous()
        return try start(own, timeout: timeout) { (time) throws(TorchError) in
            try connections.broadcast(own.handle, from: source, milliseconds: time)
        }.wait()
    }

    /// Waits until all processes have called this function.
    ///
    /// - Parameter timeout: the time to wait; nil, the default, for ``timeout``.
    public func barrier(timeout: Duration? = nil) throws {
        let one = Tensor([1] as [Float], device: device)
        _ = try start(one, timeout: timeout) { (time) throws(TorchError) in
            try connections.allReduce(one.handle, milliseconds: time)
        }.wait()
    }

    /// Returns the bytes of all processes by rank; they can be of different length.
    package func allGather(bytes: [UInt8]) throws -> [[UInt8]] {
        let lengths = try allGather(Tensor([bytes.count], device: device)).values(as: Int.self)
        let width = lengths.max() ?? 0
        guard width > 0 else { return lengths.map { _ in [] } }
        let padded = bytes + repeatElement(0, count: width - bytes.count)
        let all = try allGather(Tensor(padded, device: device)).values(as: UInt8.self)
        return lengths.enumerated().map { rank, length in
            Array(all[rank * width..<rank * width + length])
        }
    }

    /// Returns the bytes of the first process in all of them.
    ///
    /// - Parameters:
    ///   - bytes: the bytes, which count in the first process alone.
    ///   - timeout: the time to wait; nil, the default, for ``timeout``.
    package func broadcast(bytes: [UInt8], timeout: Duration? = nil) throws -> [UInt8] {
        let length = try broadcast(Tensor([bytes.count], device: device), from: 0, timeout: timeout)
            .values(as: Int.self)[0]
        guard length > 0 else { return [] }
        let own = rank == 0 ? bytes : [UInt8](repeating: 0, count: length)
        return try broadcast(Tensor(own, device: device), from: 0).values(as: UInt8.self)
    }

    private func start(
        _ tensor: Tensor, timeout: Duration? = nil, _ body: (Int) throws(TorchError) -> WorkHandle
    ) throws -> Collective {
        if let failure { throw failure }
        try TorchError.throwPending()
        watch.begin()
        let limit = timeout ?? self.timeout
        do throws(TorchError) {
            let work = try body(limit.milliseconds * 2 + 60_000)
            return Collective(work, on: tensor, of: self, begun: watch.begun, limit: limit)
        } catch {
            guard !error.isRecoverable else { throw error }
            throw failed(by: error)
        }
    }

    /// Finds out which process is the cause of a failure, records it, and tells the others.
    ///
    /// - Parameters:
    ///   - cause: libtorch's error; nil if the time is over or the watch has raised the alarm.
    ///   - begun: the number of collectives that this process had begun.
    ///   - waited: the time that is over; nil if the failure has another cause.
    func failed(
        by cause: TorchError?, begun: Int? = nil, waited: Duration? = nil
    ) -> ProcessGroupError {
        if let failure { return failure }
        let found = GroupDiagnosis(watch, configuration).cause(
            cause, begun: begun ?? watch.begun, waited: waited)
        state.withLock { $0.failure = $0.failure ?? found }
        connections.abandon()
        background.abandon()
        say(.lost(found.description, ranks: found.ranks))
        return found
    }

    /// Whether waiting for others is in vain.
    var isAlarmed: Bool { GroupDiagnosis(watch, configuration).isAlarming }

    /// Ends this process's part in the group.
    ///
    /// The process that serves the store waits until the others have left too, at most 10 seconds
    /// after their last sign of life.
    ///
    /// - Parameter error: the error that ends this process; nil, the default, if it has finished.
    public func leave(because error: (any Error)? = nil) {
        let isFirst = state.withLock { state in
            defer { state.hasLeft = true }
            return !state.hasLeft
        }
        guard isFirst else { return }
        if failure == nil {
            if error != nil {
                connections.abandon()
                background.abandon()
            }
            say(error.map { .failed("\($0)") } ?? .finished)
        }
        if configuration.isStoreOurs, rank == 0 {
            let patience = Duration.seconds(10)
            let gone = Set(failure?.ranks ?? [])
            while watch.silenceOfStore < patience,
                watch.others.contains(where: { rank, seen in
                    seen.end == nil && .now - seen.heard < patience && !gone.contains(rank)
                })
            {
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        watch.stop()
    }

    private func say(_ end: GroupWatch.End) {
        // Without a store, nobody can be told.
        try? store.set(watch.key("end", rank), end.bytes)
    }
}
