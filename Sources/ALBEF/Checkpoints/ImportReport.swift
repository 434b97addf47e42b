/// The outcome of every tensor of a checkpoint.
public struct ImportReport: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The outcome of one tensor.
    public enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        /// Imported under its own name.
        case mapped
        /// Imported under another name.
        case renamed
        /// Created, because the task needs a tensor that the file lacks.
        case new
        /// Left out.
        case ignored
    }

    /// The record of one tensor.
    public struct Entry: Sendable, Hashable, Codable {
        /// The name in the model, or in the file if the tensor was left out.
        public var name: String
        /// The name in the file; nil for a new tensor.
        public var source: String?
        /// The outcome.
        public var action: Action
        /// Why the tensor was left out, or how a new tensor is created.
        public var reason: String?

        enum CodingKeys: String, CodingKey {
            case name, source, action, reason
        }
    }

    /// The checkpoint's path.
    public var file: String
    /// The place of the model in the file, as keys separated by periods; "" for the top level.
    public var location: String
    /// The dialect that was found or given.
    public var dialect: Dialect
    /// The task that was found or given.
    public var task: ALBEFConfiguration.Task
    /// The records of all tensors.
    public var entries: [Entry] = []
    /// Entries of the file outside the model, such as the optimizer's state.
    public var others: [String] = []

    /// Returns the records of one outcome.
    public func entries(_ action: Action) -> [Entry] { entries.filter { $0.action == action } }

    /// The report as several lines of text, in which names of like layers are summarised.
    public var description: String {
        let place = location.isEmpty ? "" : " under \"\(location)\""
        return "\(file)\(place): \(task.rawValue) model, dialect \(dialect.rawValue)\n" + outcome
    }

    /// The report without task and dialect, for a source that is only part of a model.
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
            lines.append("  ignored  outside the model: \(others.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}

extension ImportReport {
    /// Creates the report of one of several files that a model is assembled from.
    init(file: String, _ configuration: ALBEFConfiguration, _ entries: [Entry]) {
        self.init(
            file: file, location: "", dialect: configuration.dialect, task: configuration.task,
            entries: entries)
    }
}
