/// Runs `body`, and throws where libtorch lacks memory or a device fails.
///
/// Elsewhere such a failure ends the process, as a wrong shape does: operators do not throw, so that
/// models read like their formulas. In this scope, the first failure is remembered. From there on
/// operators compute nothing and change nothing. They give tensors that have a shape and no
/// elements. Where elements are read they are 0; arrays of them still need memory. Parameters,
/// gradients, generators and optimizers stay as they were. The failure is thrown when `body` ends, or
/// earlier by any throwing function of this module.
///
/// ```swift
/// let images = try recovering { try model.encodeImages(pixels) }
/// ```
///
/// The scope belongs to the thread, so `body` cannot suspend. Scopes can be nested; a failure belongs
/// to the innermost. Tensors that `body` made after a failure must not be used outside.
///
/// - Throws: ``TorchError`` (``TorchError/isOutOfMemory``, ``TorchError/isDeviceFailure``) for the
///   first failure, else what `body` throws.
public func recovering<Success>(_ body: () throws -> Success) throws -> Success {
    try recovering(failingAtOperator: nil, body)
}

/// Runs `body` as ``recovering(_:)`` does, and lets an operator fail for want of memory: for tests.
///
/// - Parameter index: which operator fails, counted from 0; operators of nested scopes count too.
///   nil: none but what a surrounding scope has planned.
package func recovering<Success>(
    failingAtOperator index: Int?, _ body: () throws -> Success
) throws -> Success {
    let fault = index.map(PlannedFault.init(after:)) ?? RecoveryScope.current?.fault
    return try RecoveryScope(fault: fault).run(body)
}

extension TorchError {
    /// Throws the failure of the surrounding ``recovering(_:)``, if there was one.
    ///
    /// For long loops, and before anything that outlives the scope is changed.
    public static func throwPending() throws(TorchError) {
        if let failure = RecoveryScope.current?.failure { throw failure }
    }

    /// Whether the surrounding ``recovering(_:)`` has failed.
    package static var isPending: Bool { RecoveryScope.current?.failure != nil }
}

/// The state of ``recovering(_:)``, which one thread reads and writes.
final class RecoveryScope {
    /// What failed first.
    private(set) var failure: TorchError?
    fileprivate let fault: PlannedFault?

    /// The innermost scope of this thread.
    static var current: RecoveryScope? { Libtorch.scope }

    fileprivate init(fault: PlannedFault?) { self.fault = fault }

    /// Remembers a failure of this thread's scope.
    ///
    /// - Returns: false if the failure is a mistake of the caller or there is no scope, so that
    ///   nothing can be done about it.
    static func absorbs(_ error: TorchError) -> Bool {
        guard error.isRecoverable, let scope = current else { return false }
        scope.failure = scope.failure ?? error
        return true
    }

    /// Lets an operator run, unless one has failed before.
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

/// A failure that a test asked for.
private final class PlannedFault {
    private var operatorsLeft: Int

    init(after operators: Int) { operatorsLeft = operators }

    func count() throws(TorchError) {
        operatorsLeft -= 1
        if operatorsLeft == -1 { throw .outOfMemory("as the test planned") }
    }
}
