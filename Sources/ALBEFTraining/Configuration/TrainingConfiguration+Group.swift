public import Torch

extension TrainingConfiguration {
    /// Meets the other processes that a launcher has started for this run.
    ///
    /// On a machine with several GPUs, `cuda` and `auto` stand for the GPU of the local rank.
    ///
    /// - Parameter variables: The variables of the environment; see
    ///   `ProcessGroupConfiguration.init(environment:)`.
    /// - Returns: The group, or nil if this process trains alone.
    /// - Throws: `ProcessGroupError` that names an invalid variable or a missing process;
    ///   `TorchError` if the device is not available or has no backend.
    public func processGroup(environment variables: [String: String]) throws -> ProcessGroup? {
        guard let launch = try ProcessGroupConfiguration(environment: variables) else { return nil }
        return try ProcessGroup(
            launch, device: device(of: launch),
            timeout: .seconds(distributed.timeoutSeconds))
    }

    private func device(of launch: ProcessGroupConfiguration) throws -> Device {
        let device = try Device(named: training.device)
        guard device.kind == .cuda, !training.device.hasPrefix("cuda:"),
            let local = launch.localRank
        else { return device }
        return try Device(named: "cuda:\(local)")
    }
}
