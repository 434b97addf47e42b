import ALBEFTraining
import ArgumentParser
import CommandSupport
import SystemPackage

/// `albef pretrain`: trains a model on images with captions.
struct PretrainCommand: TrainingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train a model on images with captions: align, then fuse.",
        discussion: """
            A preset lists every setting with its reason; a file or --set changes some of them. \
            The run's directory holds its settings, its log and its checkpoints. Ctrl-C saves a \
            checkpoint, and --resume continues exactly where the run stopped.

              albef pretrain --print > settings.yaml
              albef pretrain --config settings.yaml --run run --set training.batch_size=96
              albef pretrain --run run --resume
              albef report run

            Several processes train together if a launcher starts them, such as torchrun:

              torchrun --no-python --nproc-per-node 4 -- albef pretrain --run run
            """)

    @Option(
        help: ArgumentHelp("Where the run keeps its files.", valueName: "directory"),
        completion: .directory)
    var run: String?

    @OptionGroup var options: SettingsOptions

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
        try SettingsOptions.check(threads: threads)
    }

    func run() async throws {
        if prints {
            let preset = options.preset ?? SettingsOptions.standard
            Console.write(try Presets.text(preset), to: .standardOutput)
            return
        }
        guard let run else { return }
        let directory = RunDirectory(FilePath(run))
        let isResumed = resume && directory.isBegun
        if isResumed, options.changesPreset {
            try directory.checkSettings(options.settings())
        }
        try await TrainingLauncher(
            directory: directory, settings: isResumed ? nil : options.settings(),
            threads: threads, json: json
        ).run()
    }
}
