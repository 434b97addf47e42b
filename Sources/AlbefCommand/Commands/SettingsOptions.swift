import ALBEFTraining
import ArgumentParser
import SystemPackage

/// The options that choose the settings of a training run.
struct SettingsOptions: ParsableArguments {
    /// The preset of pretraining.
    static let standard = "albef"

    @Option(
        help: """
            Settings to start from: \(Presets.names.joined(separator: ", ")); to fine-tune, \
            \(Presets.taskNames.joined(separator: ", ")); default: \(standard), or that of the task.
            """)
    var preset: String?

    @Option(
        help: ArgumentHelp(
            "YAML file of the settings that differ from the preset.", valueName: "file"),
        completion: .file())
    var config: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Change one setting; may be repeated.", valueName: "key=value"))
    var assignments: [String] = []

    /// Whether an option changes the preset.
    var changesPreset: Bool { config != nil || !assignments.isEmpty }

    /// Returns the settings that the options choose.
    ///
    /// - Parameters:
    ///   - more: Further assignments, which follow those of `--set`.
    ///   - standard: The preset if none is named.
    /// - Throws: `TrainingError` that names the file or the key.
    func chosen(
        _ more: [String] = [], preset standard: String = Self.standard
    ) throws -> TrainingConfiguration {
        var file = try SettingsFile(preset: preset ?? standard)
        if let config { try file.apply(file: FilePath(config)) }
        for assignment in assignments + more { try file.apply(assignment: assignment) }
        return try file.configuration()
    }
}
