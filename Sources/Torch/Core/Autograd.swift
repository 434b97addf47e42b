/// Runs `body` without recording gradients on this thread.
///
/// The setting belongs to the thread, so `body` cannot suspend.
public func withoutGradients<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    try recordingGradients(false, body)
}

/// Runs `body` recording gradients on this thread, whatever its caller set.
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

/// Runs `body` with products and convolutions in a shorter type, where libtorch deems it safe.
///
/// Weights stay as they are; softmax, norms and losses stay in single precision. The setting
/// belongs to the thread, so `body` cannot suspend.
///
/// - Parameter dtype: `bfloat16` or `float16`; nil changes nothing.
public func withAutocast<Result, Failure: Error>(
    _ dtype: DType?, on device: Device, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    guard let dtype else { return try body() }
    let before = Libtorch.exchangeAutocast(device.kind, dtype)
    defer { _ = Libtorch.exchangeAutocast(device.kind, before) }
    return try body()
}

/// Makes this process reuse memory that it frees rather than give it back to the system.
///
/// A training step frees and allocates the same sizes each time; on Linux this saves about a
/// twentieth of it.
public func keepFreedMemory() { Libtorch.keepFreedMemory() }

/// Gives the memory that this process has freed back to the system, once.
///
/// After ``keepFreedMemory()`` the gaps between blocks of changing sizes add up; called now and then,
/// this bounds them. It costs a second per few gigabytes, as the pages are fetched again.
public func returnFreedMemory() { Libtorch.returnFreedMemory() }

/// How many threads libtorch's operators use on the processor.
public var threadCount: Int { Libtorch.threadCount }

/// The version of libtorch, such as `2.9.0+cpu`.
public var libtorchVersion: String { Libtorch.version }

/// Sets how many threads libtorch's operators use on the processor.
public func setThreadCount(_ count: Int) {
    precondition(count > 0, "at least one thread is needed")
    Libtorch.threadCount = count
}

extension Tensor {
    /// Whether operators on this tensor are recorded for gradients.
    public var requiresGrad: Bool { handle.requiresGrad }

    /// The same elements as a new leaf that records gradients.
    public func requiringGrad() -> Tensor {
        let leaf = detached().clone()
        trapping { () throws(TorchError) in try leaf.handle.setRequiresGrad(true) }
        return leaf
    }

    /// The same elements without their history.
    public func detached() -> Tensor { Self.detach(.tensor(self)) }

    /// The gradient that ``backward()`` added up in this leaf, if any.
    public var grad: Tensor? {
        trapping { () throws(TorchError) in try handle.grad().map(Tensor.init(handle:)) }
    }

    /// Adds the gradients of this scalar to the leaves that it was computed from.
    ///
    /// - Throws: ``TorchError`` if this is not a scalar, has no history, or there is not enough
    ///   memory. Gradients of some leaves may have been added by then.
    public func backward() throws(TorchError) { try Libtorch.backward([handle]) }

    /// Gradients of the sum of this tensor with respect to `inputs`; nil where one is unused.
    ///
    /// - Throws: ``TorchError`` if there is no history to differentiate or not enough memory.
    public func gradients(
        withRespectTo inputs: [Tensor], retainingGraph: Bool = false
    ) throws(TorchError) -> [Tensor?] {
        try Libtorch.gradients(
            of: [handle], withRespectTo: inputs.map(\.handle), retainGraph: retainingGraph
        ).map { $0.map(Tensor.init(handle:)) }
    }

    /// What `body` makes of this tensor, without keeping what it computed on the way.
    ///
    /// When gradients come back, `body` runs a second time (Chen et al., 2016, "Training deep nets
    /// with sublinear memory cost"). It must compute the same both times and use no other tensor
    /// with a history than parameters. Where nothing records gradients it just runs.
    ///
    /// - Precondition: this tensor requires gradients, or none are recorded.
    package func checkpointed(_ body: @escaping (Tensor) -> Tensor) -> Tensor {
        guard requiresGrad, !TorchError.isPending else { return body(self) }
        do throws(TorchError) {
            return Tensor(handle: try Libtorch.checkpoint(handle, body))
        } catch {
            guard RecoveryScope.absorbs(error) else { fatalError("\(error)") }
            return body(self)
        }
    }

    /// Replaces or clears the gradient of a leaf; does nothing after a failure.
    package func setGrad(_ gradient: Tensor?) {
        guard !TorchError.isPending else { return }
        trapping { () throws(TorchError) in try handle.setGrad(gradient?.handle) }
    }

    private static let detach = Operator.known("aten::detach")
}

/// Runs `body`, trapping with the error's text: for calls that fail only by a caller's mistake.
func trapping<Result>(_ body: () throws(TorchError) -> Result) -> Result {
    do {
        return try body()
    } catch {
        fatalError("\(error)")
    }
}
