import SystemPackage

/// An error that prevents an index from being opened, read or written.
public struct IndexError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case missing, occupied, corrupt, format, locked, otherModel, otherContent, otherBudget,
            vectors, stale, graph, system, shard, merge
    }

    private let code: Code
    private let file: FilePath
    /// The problem, without the file.
    let reason: String
    /// The remedy; empty if the reason contains it.
    private let advice: String

    private init(_ code: Code, _ file: FilePath, _ reason: String, advice: String = "") {
        self.code = code
        self.file = file
        self.reason = reason
        self.advice = advice
    }

    /// The file, the problem and the remedy, in one line.
    public var description: String {
        "\(file): \(reason)" + (advice.isEmpty ? "" : "; \(advice)")
    }

    /// Whether another process was writing to the index, so that a later attempt may succeed.
    public var isLocked: Bool { code == .locked }

    /// Whether the directory contains no index, or does not exist.
    public var isMissing: Bool { code == .missing }

    /// Whether vectors of different models would have been mixed.
    public var isOfOtherModel: Bool { code == .otherModel }

    static func missing(_ directory: FilePath) -> IndexError {
        IndexError(.missing, directory, "contains no index; create one with 'albef index'")
    }

    static func occupied(_ directory: FilePath) -> IndexError {
        IndexError(
            .occupied, directory,
            "contains files but no index; choose an empty or a new directory")
    }

    /// Returns the error for a file that differs from what was written.
    static func corrupt(_ file: FilePath, _ reason: String) -> IndexError {
        let folder = file.removingLastComponent()
        // The manifest is the only file outside the folder of segments.
        let advice =
            file.lastComponent?.string == IndexManifest.fileName
            ? anew(folder)
            : "'albef index repair \(folder.removingLastComponent())' drops the lost entries and"
                + " keeps the rest"
        return IndexError(.corrupt, file, "damaged: \(reason)", advice: advice)
    }

    /// Returns the error for a directory with segments but without a manifest.
    static func lostManifest(_ directory: FilePath) -> IndexError {
        IndexError(
            .corrupt, directory, "has segments but lost its \(IndexManifest.fileName)",
            advice: anew(directory))
    }

    private static func anew(_ directory: FilePath) -> String {
        "delete \(directory) and create the index again with 'albef index'"
    }

    static func format(_ file: FilePath, found: Int, known: Int) -> IndexError {
        IndexError(
            .format, file,
            "has format \(found), but this program reads formats up to \(known); use a newer"
                + " version")
    }

    static func locked(_ directory: FilePath) -> IndexError {
        IndexError(.locked, directory, "another process is writing to this index")
    }

    /// Returns the error for an index that was deleted or replaced under a writer.
    static func replaced(_ directory: FilePath) -> IndexError {
        IndexError(.locked, directory, "was deleted or replaced while it was being written to")
    }

    static func otherModel(_ directory: FilePath, _ difference: String) -> IndexError {
        IndexError(.otherModel, directory, difference)
    }

    static func otherContent(_ directory: FilePath, _ content: IndexContent) -> IndexError {
        IndexError(
            .otherContent, directory,
            "is an index of \(content.rawValue); use separate indexes for images and texts")
    }

    static func otherBudget(_ directory: FilePath) -> IndexError {
        IndexError(
            .otherBudget, directory,
            "stores another number or precision of tokens, which cannot change; create a new index"
                + " for it")
    }

    static func vectors(_ directory: FilePath, _ found: String, _ count: Int) -> IndexError {
        IndexError(
            .vectors, directory, "\(found) do not fit \(count) entries of this index's model")
    }

    static func badDigest(_ file: FilePath, _ text: String) -> IndexError {
        IndexError(.vectors, file, "'\(text.prefix(80))' is not a SHA-256 in hexadecimal")
    }

    /// Returns the error for an index that holds another part of a gallery than it was named for.
    static func otherShard(
        _ directory: FilePath, _ own: IndexShard?, _ other: IndexShard?
    ) -> IndexError {
        guard let own else {
            return IndexError(
                .shard, directory, "holds a whole gallery, not a shard",
                advice: "name another index for the shard \(other?.description ?? "")")
        }
        return IndexError(
            .shard, directory, "holds shard \(own) of a gallery",
            advice: other.map { "name another index for shard \($0)" }
                ?? "update it with --shard \(own), or join it with the other shards by 'albef index"
                + " merge' first")
    }

    /// Returns the error for a folder of shards that was divided otherwise.
    static func otherDivision(
        _ folder: FilePath, _ found: IndexShard, _ wanted: IndexShard
    ) -> IndexError {
        IndexError(
            .shard, folder,
            "has shards of a gallery that was divided into \(found.count), not \(wanted.count)",
            advice: "use --shard \(wanted.number % found.count)/\(found.count), or another folder")
    }

    /// Returns the error for an index that was named as a folder of shards.
    static func shardsInIndex(_ directory: FilePath) -> IndexError {
        IndexError(
            .shard, directory, "is an index",
            advice: "name a folder in which the indexes of the shards are kept")
    }

    /// Returns the error for indexes that cannot be joined.
    static func unmergeable(
        _ directory: FilePath, _ reason: String, advice: String = ""
    ) -> IndexError {
        IndexError(.merge, directory, reason, advice: advice)
    }

    static func stale(_ directory: FilePath) -> IndexError {
        IndexError(
            .stale, directory,
            "the entry belongs to another state of this index; search again")
    }

    static func noGraph(_ directory: FilePath) -> IndexError {
        IndexError(
            .graph, directory,
            "has no graph for approximate recall; build one with 'albef index graph'")
    }

    /// Returns the error for a graph that cannot be used; the index can be searched without it.
    static func badGraph(_ file: FilePath, _ reason: String) -> IndexError {
        IndexError(
            .graph, file, "cannot use the graph: \(reason)",
            advice: "build it again with 'albef index graph'")
    }

    static func graph(_ file: FilePath, _ operation: String, _ reason: String) -> IndexError {
        IndexError(.graph, file, "cannot \(operation): \(reason)")
    }

    static func system(_ file: FilePath, _ operation: String, _ errno: Errno) -> IndexError {
        IndexError(.system, file, "cannot \(operation): \(errno)")
    }
}
