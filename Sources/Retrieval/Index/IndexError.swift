import SystemPackage

/// An index that cannot be opened, read or written.
public struct IndexError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case missing, occupied, corrupt, format, locked, otherModel, otherContent, otherBudget,
            vectors, stale, graph, system
    }

    private let code: Code
    private let file: FilePath
    /// What is wrong, without the file.
    let reason: String
    /// What to do about it; empty where the reason says that.
    private let advice: String

    private init(_ code: Code, _ file: FilePath, _ reason: String, advice: String = "") {
        self.code = code
        self.file = file
        self.reason = reason
        self.advice = advice
    }

    /// What is wrong, where, and what to do about it, in one line.
    public var description: String {
        "\(file): \(reason)" + (advice.isEmpty ? "" : "; \(advice)")
    }

    /// Whether another process was writing to the index, so that a second try may succeed.
    public var isLocked: Bool { code == .locked }

    /// Whether there is no index in the directory, or no directory.
    public var isMissing: Bool { code == .missing }

    /// Whether vectors of one model were to go with those of another.
    public var isOfOtherModel: Bool { code == .otherModel }

    static func missing(_ directory: FilePath) -> IndexError {
        IndexError(.missing, directory, "no index here; make one with 'albef index'")
    }

    static func occupied(_ directory: FilePath) -> IndexError {
        IndexError(
            .occupied, directory, "holds files but no index; name an empty or a new directory")
    }

    /// A file of an index that is not what was written.
    static func corrupt(_ file: FilePath, _ reason: String) -> IndexError {
        let folder = file.removingLastComponent()
        // Only the manifest is not in the folder of segments.
        let advice =
            file.lastComponent?.string == IndexManifest.fileName
            ? anew(folder)
            : "'albef index repair \(folder.removingLastComponent())' drops what is lost and keeps"
                + " the rest"
        return IndexError(.corrupt, file, "damaged: \(reason)", advice: advice)
    }

    /// A directory whose segments no manifest names.
    static func lostManifest(_ directory: FilePath) -> IndexError {
        IndexError(
            .corrupt, directory, "has segments but lost its \(IndexManifest.fileName)",
            advice: anew(directory))
    }

    private static func anew(_ directory: FilePath) -> String {
        "delete \(directory) and make the index anew with 'albef index'"
    }

    static func format(_ file: FilePath, found: Int, known: Int) -> IndexError {
        IndexError(
            .format, file, "has format \(found), this program reads formats up to \(known)")
    }

    static func locked(_ directory: FilePath) -> IndexError {
        IndexError(.locked, directory, "another process is writing to this index")
    }

    /// An index that was deleted or replaced under a writer.
    static func replaced(_ directory: FilePath) -> IndexError {
        IndexError(.locked, directory, "was deleted or replaced while it was being written to")
    }

    static func otherModel(_ directory: FilePath, _ difference: String) -> IndexError {
        IndexError(.otherModel, directory, difference)
    }

    static func otherContent(_ directory: FilePath, _ content: IndexContent) -> IndexError {
        IndexError(
            .otherContent, directory,
            "is an index of \(content.rawValue); images and texts need an index each")
    }

    static func otherBudget(_ directory: FilePath) -> IndexError {
        IndexError(
            .otherBudget, directory,
            "keeps another number or precision of tokens; that is chosen when an index is made")
    }

    static func vectors(_ directory: FilePath, _ found: String, _ count: Int) -> IndexError {
        IndexError(
            .vectors, directory, "\(found) do not fit \(count) entries of this index's model")
    }

    static func badDigest(_ file: FilePath, _ text: String) -> IndexError {
        IndexError(.vectors, file, "'\(text.prefix(80))' is not a SHA-256 in hexadecimal")
    }

    static func stale(_ directory: FilePath) -> IndexError {
        IndexError(.stale, directory, "the entry belongs to another state of this index")
    }

    static func noGraph(_ directory: FilePath) -> IndexError {
        IndexError(
            .graph, directory, "has no graph to follow; make one with 'albef index graph'")
    }

    /// A graph that cannot be used; the index can be searched without it.
    static func badGraph(_ file: FilePath, _ reason: String) -> IndexError {
        IndexError(
            .graph, file, "cannot follow the graph: \(reason)",
            advice: "'albef index graph' makes it anew")
    }

    static func graph(_ file: FilePath, _ operation: String, _ reason: String) -> IndexError {
        IndexError(.graph, file, "cannot \(operation): \(reason)")
    }

    static func system(_ file: FilePath, _ operation: String, _ errno: Errno) -> IndexError {
        IndexError(.system, file, "cannot \(operation): \(errno)")
    }
}
