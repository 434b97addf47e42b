/// The prefixes that wrappers add to the names of a model's parameters.
enum WrapperNames {
    /// Parts that `torch.compile`, data parallelism, sharding and activation checkpoints insert
    /// anywhere in a name.
    private static let components: Set<Substring> = [
        "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
    ]
    /// The names of the model in training programs, which precede everything else.
    private static let owners: Set<Substring> = ["model", "net", "network"]

    /// Returns a parameter's name without these parts.
    static func stripped(_ name: String) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            .filter { !components.contains($0) }
        return parts.drop { owners.contains($0) }.joined(separator: ".")
    }
}
