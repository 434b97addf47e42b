/// What became of every tensor of a checkpoint.
public struct ImportReport: Sendable, Hashable, Codable, CustomStringConvertible {
    /// What was done with a tensor.
    public enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        /// Taken over under its own name.
        case mapped
        /// Taken over under another name.
        case renamed
        /// Not in the file, though the task has it.
        case new
        /// Left out.
        case ignored
    }

    /// One tensor.
    public struct Entry: Sendable, Hashable, Codable {
        /// The name in the model, or in the file if the tensor was left out.
        public var name: String
        /// The name in the file, nil for a new tensor.
        public var source: String?
        /// What was done.
        public var action: Action
        /// Why it was left out, or how a new or changed tensor is made.
        public var reason: String?

        enum CodingKeys: String, CodingKey {
            case name, source, action, reason
        }
    }

    /// The checkpoint's path.
    public var file: String
    /// Where in the file the model stood; "" for the top level.
    public var location: String
    /// The dialect that was found or given.
    public var dialect: Dialect
    /// The task that was found or given.
    public var task: ALBEFConfiguration.Task
    /// Every tensor.
    public var entries: [Entry] = []
    /// Entries of the file beside the model, such as the optimizer's state.
    public var others: [String] = []

    /// The entries of one action.
    public func entries(_ action: Action) -> [Entry] { entries.filter { $0.action == action } }

    /// The report as text of several lines, names of like layers drawn together.
    public var description: String {
        let place = location.isEmpty ? "" : " under \"\(location)\""
        return "\(file)\(place): \(task.rawValue) model, dialect \(dialect.rawValue)\n" + outcome
    }

    /// The same for a source that is only part of a model, whose task and dialect it does not decide.
    public var account: String { "\(file):\n" + outcome }

    private var outcome: String {
        let mapped = entries(.mapped).count
        var lines = mapped == 0 ? [] : ["  mapped   \(mapped) tensors under their own names"]
        let renamed = entries(.renamed)
        if !renamed.isEmpty { lines.append("  renamed  \(renamed.count) tensors:") }
        for (name, count) in NameSummary.groups(renamed.map { "\($0.source ?? "") -> \($0.name)" })
        {
            lines.append("           \(name)\(count > 1 ? "  (\(count))" : "")")
        }
        for action in [Action.new, .ignored] {
            let grouped = Dictionary(grouping: entries(action)) { $0.reason ?? "" }
            for (reason, entries) in grouped.sorted(by: { $0.key < $1.key }) {
                let label = action == .new ? "new    " : "ignored"
                lines.append("  \(label)  \(entries.count) tensors: \(reason)")
                for (name, count) in NameSummary.groups(entries.map(\.name)) {
                    lines.append("           \(name)\(count > 1 ? "  (\(count))" : "")")
                }
            }
        }
        if !others.isEmpty {
            lines.append("  ignored  beside the model: \(others.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}

extension ImportReport {
    /// What became of the tensors of one file that a model is made of.
    init(file: String, _ configuration: ALBEFConfiguration, _ entries: [Entry]) {
        self.init(
            file: file, location: "", dialect: configuration.dialect, task: configuration.task,
            entries: entries)
    }
}
