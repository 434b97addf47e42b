import ALBEFTraining
import ArgumentParser

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

    @OptionGroup var options: RunOptions

    func run() async throws {
        try await options.train(preset: SettingsOptions.standard) { directory in
            if options.settings.changesPreset {
                try directory.checkSettings(options.settings.chosen())
            }
        } settings: {
            try options.settings.chosen()
        }
    }
}
