import Retrieval

#if Milvus
    import MilvusRecall
#endif

/// The store of features that `--recall milvus://…` and `albef index push` name.
enum RecallStore {
    /// Returns what proposes candidates.
    ///
    /// - Parameter address: the address of a store; nil for the index itself.
    /// - Throws: `RecallError` if the address cannot be read, or this program was built without
    ///   the store's client.
    static func recall(_ address: String?) throws -> any CandidateRecall {
        guard let address else { return EmbeddedRecall() }
        return StoreRecall(try open(MilvusAddress(address), patience: 10))
    }

    /// Returns a store.
    ///
    /// - Parameter patience: the seconds after which an operation gives up, if the address does
    ///   not name any.
    /// - Throws: `RecallError` if this program was built without the store's client.
    static func open(_ address: MilvusAddress, patience: Double) throws -> any FeatureStore {
        #if Milvus
            return MilvusStore(address, patience: patience)
        #else
            throw RecallError.unsupported("\(address)")
        #endif
    }
}
