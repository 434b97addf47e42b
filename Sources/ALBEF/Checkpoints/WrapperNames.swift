/// What wrappers put into the names of a model's parameters.
enum WrapperNames {
    /// What `torch.compile`, data parallelism, sharding and activation checkpoints add, at any place
    /// of a name.
    private static let components: Set<Substring> = [
        "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
    ]
    /// What training programs call their model, before everything else.
    private static let owners: Set<Substring> = ["model", "net", "network"]

    /// A parameter's name without them.
    static func stripped(_ name: String) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            .filter { !components.contains($0) }
        return parts.drop { owners.contains($0) }.joined(separator: ".")
    }
}
