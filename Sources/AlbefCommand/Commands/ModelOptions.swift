import ALBEF
import ArgumentParser
import Foundation
import Retrieval
import SystemPackage
import Torch

/// The options of every command that runs a model.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model: a directory that 'albef import' or 'albef pretrain' wrote, or a name that 'albef models list' shows, which is fetched when it is first used (./NAME for a directory of that name).",
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
        try NumberBounds.check("--threads", threads, 1...1024)
        try NumberBounds.check("--image-size", imageSize, 1...4096)
    }

    /// The directory of the model, which is fetched first if it is one of the catalogue.
    ///
    /// - Parameter note: gets a remark; nil: standard error does.
    func directory(
        note: (@Sendable (String) -> Void)? = nil
    ) async throws -> FilePath {
        try await ModelFetch(note: note).model(model)
    }

    /// Loads the model, and says so if it was never trained, or was trained for other images.
    ///
    /// - Parameters:
    ///   - ofScenes: whether the images are drawn scenes, which the shipped model knows.
    ///   - note: gets a remark; nil: standard error does.
    func load(
        ofScenes: Bool = false, note remarks: (@Sendable (String) -> Void)? = nil
    ) async throws -> SearchModel {
        let note = remarks ?? { Console.note($0) }
        if let threads { setThreadCount(threads) }
        if ShippedModel(rawValue: model) != nil,
            FileManager.default.fileExists(atPath: "\(model)/config.json")
        {
            note(
                "note: '\(model)' is the model that ships with the program; the directory"
                    + " '\(model)' here holds a model too, which is --model ./\(model)")
        }
        let model = try SearchModel(
            try await directory(note: remarks), imageSize: imageSize,
            device: Device(named: device))
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
