internal import Foundation
internal import Synchronization
internal import SystemPackage

/// Shards to learn from, with the number of samples of each, as far as it is known.
public struct ShardSet: Sendable, Hashable {
    /// The shards, in order.
    public let addresses: [ShardAddress]
    /// The number of samples per shard; `nil` if some are not known.
    public private(set) var counts: [Int]?
    /// The number of samples of all shards; `nil` if it is not known.
    public var sampleCount: Int? { counts?.reduce(0, +) }

    /// Creates a set of shards.
    ///
    /// - Parameter counts: The number of samples per shard; `nil` if they are not known.
    public init(_ addresses: [ShardAddress], counts: [Int]? = nil) {
        precondition(counts.map { $0.count == addresses.count } ?? true)
        self.addresses = addresses
        self.counts = counts
    }

    /// Finds the shards that texts name, and looks up their counts in the indexes beside them.
    ///
    /// - Parameters:
    ///   - texts: Paths, patterns, commands and addresses; see ``ShardList``.
    ///   - opener: Opens the indexes beside addresses.
    /// - Throws: ``DatasetError`` if there are no shards, or a pattern or an index is wrong.
    public init(
        _ texts: [String], opener: ShardOpener = ShardOpener()
    ) throws(DatasetError) {
        addresses = try ShardList.addresses(texts)
        guard !addresses.isEmpty else {
            throw .shards(texts.joined(separator: "::"), "names no shards")
        }
        counts = try Self.indexedCounts(addresses, opener)
    }

    /// Counts the samples of every shard by reading the archives' headers.
    ///
    /// Content is passed over where the source allows it: in files, not in commands and addresses.
    ///
    /// - Parameters:
    ///   - fields: The members that matter for the last sample of a damaged shard.
    ///   - opener: Opens the shards.
    ///   - onDamage: Called from any thread for each shard that is damaged; its samples up to the
    ///     fault count.
    ///   - onProgress: Called from any thread with the number of shards counted.
    /// - Throws: `CancellationError` if the task is cancelled.
    /// - Complexity: O(*m*) for *m* members, for files.
    public mutating func count(
        fields: ShardFields = ShardFields(), opener: ShardOpener = ShardOpener(),
        onDamage: @escaping @Sendable (ShardDamage) -> Void = { _ in },
        onProgress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws {
        let found = Mutex((counts: [Int](repeating: 0, count: addresses.count), done: 0))
        let cancelled = Mutex(false)
        let addresses = addresses
        DispatchQueue.concurrentPerform(iterations: addresses.count) { index in
            guard !cancelled.withLock({ $0 }) else { return }
            let address = addresses[index]
            var reader = ShardReader(address, fields: fields, countsOnly: true) {
                try opener.open(address)
            }
            do throws(ShardDamage) {
                while try reader.skip() {}
            } catch {
                onDamage(error)
            }
            let done = found.withLock { found in
                found.counts[index] = reader.count
                found.done += 1
                return found.done
            }
            onProgress(done)
            if Task.isCancelled { cancelled.withLock { $0 = true } }
        }
        try Task.checkCancellation()
        counts = found.withLock { $0.counts }
    }

    /// Returns the counts that the indexes beside the shards have, or `nil` if one is missing.
    private static func indexedCounts(
        _ addresses: [ShardAddress], _ opener: ShardOpener
    ) throws(DatasetError) -> [Int]? {
        var known: [ShardAddress: Int] = [:]
        var visited: Set<String> = []
        var counts: [Int] = []
        for address in addresses {
            guard let folder = folder(of: address) else { return nil }
            if visited.insert(folder).inserted {
                guard let index = try index(beside: address, opener) else { return nil }
                for (address, entry) in zip(index.addresses, index.entries) {
                    known[address] = entry.samples
                }
            }
            guard let count = known[address] else { return nil }
            counts.append(count)
        }
        return counts
    }

    /// Returns the part of an address before the last name; `nil` for a command.
    private static func folder(of address: ShardAddress) -> String? {
        if case .command = address.kind { return nil }
        let text = address.description
        return text.lastIndex(of: "/").map { String(text[...$0]) } ?? ""
    }

    private static func index(
        beside address: ShardAddress, _ opener: ShardOpener
    ) throws(DatasetError) -> ShardIndex? {
        switch address.kind {
        case .command: return nil
        case .remote(let text): return ShardIndex(beside: text, opener: opener)
        case .file(let path):
            let file = path.removingLastComponent().appending(ShardList.indexName)
            return ImageFile.exists(file) ? try ShardIndex(contentsOf: file) : nil
        }
    }
}
