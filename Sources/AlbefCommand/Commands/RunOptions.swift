import ALBEFTraining
import ArgumentParser
import CommandSupport
import SystemPackage

/// The options of the commands that begin a training run or resume it.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where the run keeps its files.", valueName: "directory"),
        completion: .directory)
    var run: String?

    @OptionGroup var settings: SettingsOptions

    @Flag(help: "Resume the run with its own settings, or start it if it does not exist.")
    var resume = false

    @Flag(name: .customLong("print"), help: "Print the preset with its reasons, and exit.")
    var prints = false

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    var threads: Int?

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws {
        if !prints, run == nil {
            throw ValidationError("--run is missing; name the directory of the run.")
        }
        try NumberBounds.check("--threads", threads, 1...1_024)
    }

    /// Trains until the run ends, or prints the preset if that is all that is wanted.
    ///
    /// - Parameters:
    ///   - preset: the preset if none is named.
    ///   - check: called with the directory of a run that is to be resumed; throws if the options
    ///     do not fit the run.
    ///   - chosen: returns the settings of a new run.
    func train(
        preset: String, check: (RunDirectory) async throws -> Void,
        settings chosen: () async throws -> TrainingConfiguration
    ) async throws {
        if prints {
            let text = try Presets.text(settings.preset ?? preset)
            Console.write(text, to: .standardOutput)
            return
        }
        guard let run else { return }
        let directory = RunDirectory(FilePath(run))
        let isResumed = resume && directory.isBegun
        if isResumed { try await check(directory) }
        try await TrainingLauncher(
            directory: directory, settings: isResumed ? nil : try await chosen(),
            threads: threads, json: json
        ).run()
    }
}
