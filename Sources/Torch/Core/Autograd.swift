/// Runs `body` without recording gradients on this thread.
///
/// The setting belongs to the thread, so `body` cannot suspend.
public func withoutGradients<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    try recordingGradients(false, body)
}

/// Runs `body` and records gradients on this thread, even inside ``withoutGradients(_:)``.
///
/// The setting belongs to the thread, so `body` cannot suspend.
public func withGradients<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    try recordingGradients(true, body)
}

private func recordingGradients<Result, Failure: Error>(
    _ records: Bool, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let before = Libtorch.exchangeGradMode(records)
    defer { _ = Libtorch.exchangeGradMode(before) }
    return try body()
}

/// Runs `body` with autocast: libtorch computes products and convolutions in a shorter type.
///
/// Weights do not change. Softmax, norms and losses stay in single precision. The setting belongs
/// to the thread, so `body` cannot suspend.
///
/// - Parameters:
///   - dtype: `bfloat16` or `float16`; nil changes nothing.
///   - device: the device whose kind of operators is affected.
///   - body: the computation.
public func withAutocast<Result, Failure: Error>(
    _ dtype: DType?, on device: Device, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    guard let dtype else { return try body() }
    let before = Libtorch.exchangeAutocast(device.kind, dtype)
    defer { _ = Libtorch.exchangeAutocast(device.kind, before) }
    return try body()
}

/// Makes this process keep the memory that it frees, instead of returning it to the system.
///
/// Each training step frees and allocates the same sizes. On Linux this saves about a twentieth of
/// its time. Threads that allocate for the first time after the call share one heap, where one finds
/// what another has freed. So call it before others have begun: a step of the paper's model then
/// needs 0.7 GB less. With an allocator other than glibc's, this function does nothing.
public func keepFreedMemory() { Libtorch.keepFreedMemory() }

/// Returns the memory that this process has freed so far to the system.
///
/// After ``keepFreedMemory()``, gaps between blocks of changing sizes accumulate. Occasional calls
/// of this function bound them. A call costs about a second per few gigabytes, because the process
/// then requests the pages again.
public func returnFreedMemory() { Libtorch.returnFreedMemory() }

/// Makes the threads of libtorch's operators sleep while they wait for each other, whenever other
/// processes need the processors.
///
/// By default they spin for milliseconds. That is fastest on free processors, but while another
/// process keeps one busy, an encoder takes many times as long on two threads as on one. A program
/// calls this once, when it starts; a thread then looks ten times a second at what the system's
/// processors do. The environment's `OMP_WAIT_POLICY` and `GOMP_SPINCOUNT` come first, and elsewhere
/// than on Linux this function does nothing.
public func shareProcessors() { Libtorch.shareProcessors() }

/// The number of threads that libtorch's operators use on the processor.
public var threadCount: Int { Libtorch.threadCount }

/// The version of libtorch, such as `2.9.0+cpu`.
public var libtorchVersion: String { Libtorch.version }

/// Sets the number of threads that libtorch's operators use on the processor.
public func setThreadCount(_ count: Int) {
    precondition(count > 0, "the number of threads must be at least 1, not \(count)")
    Libtorch.threadCount = count
}

extension Tensor {
    /// Whether libtorch records the operators on this tensor for gradients.
    public var requiresGrad: Bool { handle.requiresGrad }

    /// Copies the elements into a new leaf that records gradients.
    public func requiringGrad() -> Tensor {
        let leaf = detached().clone()
        trapping { () throws(TorchError) in try leaf.handle.setRequiresGrad(true) }
        return leaf
    }

    /// Returns the same elements without the history for gradients.
    public func detached() -> Tensor { Self.detach(.tensor(self)) }

    /// The gradient that ``backward()`` has accumulated in this leaf; nil before the first.
    public var grad: Tensor? {
        trapping { () throws(TorchError) in try handle.grad().map(Tensor.init(handle:)) }
    }

    /// Adds the gradients of this scalar to the leaves from which it was computed.
    ///
    /// - Throws: ``TorchError`` if this tensor is not a scalar or has no history, or if memory runs
    ///   out. Some leaves may already have their gradients then.
    public func backward() throws(TorchError) { try Libtorch.backward([handle]) }

    /// Computes the gradients of the sum of this tensor with respect to `inputs`.
    ///
    /// - Parameter retainingGraph: whether the history stays for another call; false by default.
    /// - Returns: one gradient per input; nil if this tensor does not depend on it.
    /// - Throws: ``TorchError`` if this tensor has no history, or if memory runs out.
    public func gradients(
        withRespectTo inputs: [Tensor], retainingGraph: Bool = false
    ) throws(TorchError) -> [Tensor?] {
        try Libtorch.gradients(
            of: [handle], withRespectTo: inputs.map(\.handle), retainGraph: retainingGraph
        ).map { $0.map(Tensor.init(handle:)) }
    }

    /// Returns `body(self)` without keeping the intermediate results.
    ///
    /// In the backward pass, `body` runs a second time (Chen et al., 2016, "Training deep nets with
    /// sublinear memory cost"). It must compute the same result both times, and may use no tensors
    /// with a history except parameters. If this tensor does not require gradients, `body` runs
    /// only once.
    ///
    /// - Precondition: this tensor requires gradients, or this thread records none.
    package func checkpointed(_ body: @escaping (Tensor) -> Tensor) -> Tensor {
        guard requiresGrad, !TorchError.isPending else { return body(self) }
        do throws(TorchError) {
            return Tensor(handle: try Libtorch.checkpoint(handle, body))
        } catch {
            guard RecoveryScope.absorbs(error) else { fatalError("\(error)") }
            return body(self)
        }
    }

    /// Replaces or clears the gradient of a leaf.
    ///
    /// After a failure in ``recovering(_:)``, this does nothing.
    package func setGrad(_ gradient: Tensor?) {
        guard !TorchError.isPending else { return }
        trapping { () throws(TorchError) in try handle.setGrad(gradient?.handle) }
    }

    private static let detach = Operator.known("aten::detach")
}

/// Runs `body` and traps with the text of its error, for calls that only a caller's mistake fails.
func trapping<Result>(_ body: () throws(TorchError) -> Result) -> Result {
    do {
        return try body()
    } catch {
        fatalError("\(error)")
    }
}
