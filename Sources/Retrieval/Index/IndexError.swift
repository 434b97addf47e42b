import SystemPackage

/// An index that cannot be opened, read or written.
public struct IndexError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case missing, occupied, corrupt, format, locked, otherModel, otherContent, otherBudget,
            vectors, graph,
            system
    }

    private let code: Code
    /// What is wrong and where, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether another process was writing to the index, so that a second try may succeed.
    public var isLocked: Bool { code == .locked }

    static func missing(_ directory: FilePath) -> IndexError {
        IndexError(.missing, "\(directory): no index here; make one with 'albef index'")
    }

    static func occupied(_ directory: FilePath) -> IndexError {
        IndexError(
            .occupied,
            "\(directory): holds files but no index; name an empty or a new directory")
    }

    static func corrupt(_ file: FilePath, _ reason: String) -> IndexError {
        IndexError(.corrupt, "\(file): damaged: \(reason)")
    }

    static func format(_ file: FilePath, found: Int, known: Int) -> IndexError {
        IndexError(
            .format, "\(file): has format \(found), this program reads formats up to \(known)")
    }

    static func locked(_ directory: FilePath) -> IndexError {
        IndexError(.locked, "\(directory): another process is writing to this index")
    }

    static func otherModel(_ directory: FilePath, _ difference: String) -> IndexError {
        IndexError(
            .otherModel,
            "\(directory): was made with another model (\(difference)); search it with that model"
                + " or index into a new directory")
    }

    static func otherContent(_ directory: FilePath, _ content: IndexContent) -> IndexError {
        IndexError(
            .otherContent,
            "\(directory): is an index of \(content.rawValue); pictures and texts go into one each")
    }

    static func otherBudget(_ directory: FilePath) -> IndexError {
        IndexError(
            .otherBudget,
            "\(directory): keeps another number or precision of tokens; that is chosen when an index"
                + " is made")
    }

    static func vectors(_ directory: FilePath, _ found: String, _ count: Int) -> IndexError {
        IndexError(
            .vectors, "\(directory): \(found) do not fit \(count) entries of this index's model")
    }

    static func noGraph(_ directory: FilePath) -> IndexError {
        IndexError(
            .graph, "\(directory): has no graph to follow; make one with 'albef index graph'")
    }

    static func graph(_ file: FilePath, _ operation: String, _ reason: String) -> IndexError {
        IndexError(.graph, "\(file): cannot \(operation): \(reason)")
    }

    static func system(_ file: FilePath, _ operation: String, _ errno: Errno) -> IndexError {
        IndexError(.system, "\(file): cannot \(operation): \(errno)")
    }
}
