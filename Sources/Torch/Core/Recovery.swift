/// Runs `body`, and throws if libtorch runs out of memory or a device fails.
///
/// Operators do not throw, so that models read like their formulas. Outside this scope, such a
/// failure therefore ends the process, as a wrong shape does. Inside it, the first failure is
/// recorded. From then on, operators compute nothing and change nothing, and return tensors that
/// have a shape but no elements. Reading such elements returns zeros, and the array of zeros still
/// needs memory. Parameters, gradients, generators and optimizers stay unchanged. The failure is
/// thrown when `body` ends, or earlier by any throwing function of this module.
///
/// ```swift
/// let images = try recovering { try model.encodeImages(pixels) }
/// ```
///
/// The scope belongs to the thread, so `body` cannot suspend. Scopes can be nested; a failure
/// belongs to the innermost one. Tensors that `body` creates after a failure must not be used
/// outside the scope.
///
/// - Throws: ``TorchError`` (``TorchError/isOutOfMemory``, ``TorchError/isDeviceFailure``) for the
///   first failure, otherwise the error that `body` throws.
public func recovering<Success>(_ body: () throws -> Success) throws -> Success {
    try recovering(failingAtOperator: nil, body)
}

/// How an operator fails that a test has chosen.
package enum PlannedFailure: Sendable {
    case outOfMemory, device

    fileprivate var error: TorchError {
        switch self {
        case .outOfMemory: .outOfMemory("planned by a test")
        case .device: .deviceFailure("CUDA error: planned by a test")
        }
    }
}

/// Runs `body` as ``recovering(_:)`` does and makes one operator fail, for tests.
///
/// - Parameters:
///   - index: the index of the operator that fails, counted from 0 and across nested scopes. If it
///     is nil, the plan of the surrounding scope applies.
///   - failure: how it fails; by default, it runs out of memory.
package func recovering<Success>(
    failingAtOperator index: Int?, by failure: PlannedFailure = .outOfMemory,
    _ body: () throws -> Success
) throws -> Success {
    let fault =
        index.map { PlannedFault(failure, after: $0) } ?? RecoveryScope.current?.fault
    return try RecoveryScope(fault: fault).run(body)
}

extension TorchError {
    /// Throws the failure of the surrounding ``recovering(_:)``, if it has failed.
    ///
    /// Call this in long loops, and before changing anything that outlives the scope.
    public static func throwPending() throws(TorchError) {
        if let failure = RecoveryScope.current?.failure { throw failure }
    }

    /// Whether the surrounding ``recovering(_:)`` has failed.
    package static var isPending: Bool { RecoveryScope.current?.failure != nil }
}

/// The state of ``recovering(_:)``, which one thread reads and writes.
final class RecoveryScope {
    /// The first failure.
    private(set) var failure: TorchError?
    fileprivate let fault: PlannedFault?

    /// The innermost scope of this thread.
    static var current: RecoveryScope? { Libtorch.scope }

    fileprivate init(fault: PlannedFault?) { self.fault = fault }

    /// Records a failure in this thread's scope.
    ///
    /// - Returns: false if the failure is a mistake of the caller or no scope surrounds the call.
    ///   The process must then end.
    static func absorbs(_ error: TorchError) -> Bool {
        guard error.isRecoverable, let scope = current else { return false }
        scope.failure = scope.failure ?? error
        return true
    }

    /// Throws if an earlier operator has failed or a test plans the failure of this one.
    func admit() throws(TorchError) {
        if let failure { throw failure }
        try fault?.count()
    }

    fileprivate func run<Success>(_ body: () throws -> Success) throws -> Success {
        try TorchError.throwPending()
        let outcome = withExtendedLifetime(self) {
            let outer = Libtorch.exchangeScope(self)
            defer { _ = Libtorch.exchangeScope(outer) }
            return Result { try body() }
        }
        if let failure { throw failure }
        return try outcome.get()
    }
}

/// A failure that a test has planned.
private final class PlannedFault {
    private let failure: PlannedFailure
    private var operatorsLeft: Int

    init(_ failure: PlannedFailure, after operators: Int) {
        self.failure = failure
        operatorsLeft = operators
    }

    func count() throws(TorchError) {
        operatorsLeft -= 1
        if operatorsLeft == -1 { throw failure.error }
    }
}
