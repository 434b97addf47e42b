import ALBEF
import ArgumentParser
import Retrieval
import SystemPackage
import Torch

/// The options of every command that runs a model.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model: a directory that 'albef import' or 'albef pretrain' wrote, or the name of one that comes with the program.",
            valueName: "model"))
    var model = ShippedModel.wardrobe.rawValue

    @Option(
        help: ArgumentHelp(
            "Side of the input images in pixels; default: the size the weights have.",
            valueName: "pixels"))
    var imageSize: Int?

    @Option(help: ArgumentHelp("cpu, cuda, cuda:N, mps or auto.", valueName: "device"))
    var device = "auto"

    @Option(help: ArgumentHelp("Threads of the processor to use; default: all.", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        if let imageSize, imageSize < 1 {
            throw ValidationError("--image-size must be at least 1.")
        }
    }

    /// Loads the model, and says so if it was never trained, or for other pictures.
    ///
    /// - Parameters:
    ///   - ofScenes: whether the pictures are drawn scenes, which the shipped model knows.
    ///   - note: gets a remark; default: writes it to standard error.
    func load(
        ofScenes: Bool = false, note: (String) -> Void = Console.note
    ) throws -> SearchModel {
        if let threads { setThreadCount(threads) }
        let model = try SearchModel(
            ShippedModel.resolve(model), imageSize: imageSize, device: Device(named: device))
        if !model.model.configuration.isTrained {
            note(
                "note: the weights of this model are untrained; its order and its numbers mean"
                    + " nothing")
        }
        if self.model == ShippedModel.wardrobe.rawValue, !ofScenes {
            note(
                "note: the model 'wardrobe' knows drawn scenes of people in clothes; for photos"
                    + " give --model, see 'albef models list'")
        }
        return model
    }
}
