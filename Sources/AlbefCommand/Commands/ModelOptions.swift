import ALBEF
import ALBEFTraining
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
            "A second model, such as SigLIP or CLIP, whose features find the candidates that --model re-ranks; default: --model does both.",
            valueName: "model"))
    var recall: String?

    @Option(
        help: ArgumentHelp(
            "Side of the input images of --model in pixels; default: the size the weights have.",
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

    /// The directory of the model that recalls, fetched likewise, and what it is called.
    private func secondDirectory(
        note: (@Sendable (String) -> Void)?
    ) async throws -> (path: FilePath, name: String?)? {
        guard let recall else { return nil }
        let path = try await ModelFetch(note: note).model(recall)
        // A model that was fetched lies in a folder that is not called as it is.
        return switch try ModelReference(recall) {
        case .directory: (path, nil)
        case .published(let entry): (path, entry.name)
        }
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
        let second = try await secondDirectory(note: remarks)
        let model = try SearchModel(
            try await directory(note: remarks), recall: second?.path, named: second?.name,
            imageSize: imageSize, device: Device(named: device))
        for each in [model.reader, model.recall] where each?.model.configuration.isTrained == false
        {
            note(
                "note: the weights of this model are untrained; its order and its numbers mean"
                    + " nothing")
            break
        }
        if self.model == ShippedModel.wardrobe.rawValue, !ofScenes {
            note(
                "note: the model 'wardrobe' knows drawn scenes of people in clothes; for photos"
                    + " give --model, see 'albef models list'")
        }
        return model
    }
}

extension RecallModel {
    /// What recalls of two models that search.
    init(_ model: EncodingModel) {
        self.init(model.model, text: model.text, transform: model.transform)
    }
}
