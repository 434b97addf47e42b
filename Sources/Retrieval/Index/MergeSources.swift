import SystemPackage

/// The indexes to merge, checked against each other before anything is written.
struct MergeSources {
    /// The indexes in the order in which their entries will follow each other: shards by number,
    /// then the others as they were named.
    let indexes: [ForwardIndex]

    /// Opens indexes and checks that they can be joined, except for ``checkPaths()``.
    ///
    /// - Parameters:
    ///   - paths: Indexes, or folders that contain the indexes of shards.
    ///   - allowsMissing: Whether shards may be missing or unfinished.
    /// - Throws: ``IndexError`` that names what does not fit.
    init(_ paths: [FilePath], allowsMissing: Bool) throws {
        var seen: Set<FilePath> = []
        let opened = try paths.flatMap(Self.expanded).filter { seen.insert($0.absolute).inserted }
            .map { try ForwardIndex($0) }
        indexes =
            opened.filter { $0.shard != nil }
            .sorted { ($0.shard?.number ?? 0) < ($1.shard?.number ?? 0) }
            + opened.filter { $0.shard == nil }
        try checkForms()
        try checkShards(allowsMissing: allowsMissing)
    }

    /// Returns the indexes that a path names.
    private static func expanded(_ path: FilePath) throws -> [FilePath] {
        if IndexManifest.exists(in: path) { return [path] }
        let shards = IndexShard.shards(in: path).map(\.path)
        guard !shards.isEmpty else { throw IndexError.missing(path) }
        return shards
    }

    /// Checks that all indexes store the same kinds of vectors.
    private func checkForms() throws {
        guard let first = indexes.first else { return }
        for index in indexes.dropFirst() {
            func differs(_ what: String) -> IndexError {
                .unmergeable(index.directory, "\(what) than \(first.directory)")
            }
            if !index.model.isSame(as: first.model) {
                throw IndexError.unmergeable(
                    index.directory,
                    "was made with another model, \(index.model.title), than \(first.directory),"
                        + " \(first.model.title)",
                    advice: "encode both with one model")
            }
            guard index.content == first.content else {
                throw differs("holds \(index.content.rawValue), so other entries")
            }
            guard index.budget == first.budget else {
                throw differs("stores another number or precision of tokens")
            }
        }
    }

    /// Checks that every shard is there once and finished.
    private func checkShards(allowsMissing: Bool) throws {
        var known: [Int: FilePath] = [:]
        var count: Int?
        for index in indexes {
            guard let shard = index.shard else { continue }
            guard count ?? shard.count == shard.count else {
                throw IndexError.unmergeable(
                    index.directory,
                    "is a shard of \(shard.count), and another is one of \(count ?? 0)",
                    advice: "merge the shards of one division")
            }
            count = shard.count
            if let other = known.updateValue(index.directory, forKey: shard.number) {
                throw IndexError.unmergeable(
                    index.directory, "is shard \(shard), as \(other) is",
                    advice: "name one of them")
            }
            if !allowsMissing, index.manifest.shard?.isFinished == false {
                throw IndexError.unmergeable(
                    index.directory, "shard \(shard) is not finished",
                    advice: "run 'albef index add' with --shard \(shard) again, or merge what is"
                        + " there with --allow-missing")
            }
        }
        guard let count, !allowsMissing else { return }
        let missing = (0..<count).filter { known[$0] == nil }
        guard let first = missing.first, let place = indexes.first?.directory else { return }
        let names = missing.prefix(8).map(String.init).joined(separator: ", ")
        throw IndexError.unmergeable(
            place.removingLastComponent(),
            "of \(count) shards, \(missing.count) are missing: \(names)"
                + (missing.count > 8 ? ", …" : ""),
            advice: "encode them with --shard \(first)/\(count) and so on, or merge the others with"
                + " --allow-missing")
    }

    /// Checks that no entry is in two indexes.
    ///
    /// - Throws: ``IndexError`` that names one.
    /// - Complexity: O(n log n) for n entries, of which those without keys are read.
    func checkPaths() throws {
        typealias Key = (prefix: UInt64, index: UInt32, segment: UInt32, row: UInt32)
        var keys: [Key] = []
        keys.reserveCapacity(indexes.reduce(0) { $0 + $1.count })
        for (position, index) in indexes.enumerated() {
            for (number, segment) in index.segments.enumerated() {
                let table = try segment.keys ?? KeyTable(deriving: segment)
                for place in 0..<table.count {
                    let (prefix, row) = table[place]
                    guard row < segment.count, !segment.removed.contains(row) else { continue }
                    keys.append((prefix, UInt32(position), UInt32(number), UInt32(row)))
                }
            }
        }
        keys.sort { $0 < $1 }
        func path(_ key: Key) throws -> FilePath {
            try indexes[Int(key.index)].segments[Int(key.segment)].entry(Int(key.row)).path
        }
        var (twice, example): (Int, (FilePath, FilePath, FilePath)?) = (0, nil)
        for (one, two) in zip(keys, keys.dropFirst()) where one.prefix == two.prefix {
            let first = try path(one)
            guard try path(two) == first else { continue }
            twice += 1
            let directories = (
                indexes[Int(one.index)].directory, indexes[Int(two.index)].directory
            )
            example = example ?? (first, directories.0, directories.1)
        }
        guard let example else { return }
        throw IndexError.unmergeable(
            example.2,
            "has \(twice) \(twice == 1 ? "entry" : "entries") that another index has too, such as"
                + " \(example.0), which is in \(example.1)",
            advice: "remove them from one index with 'albef index remove'")
    }
}
