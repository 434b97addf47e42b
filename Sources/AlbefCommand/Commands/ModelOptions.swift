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
        name: .customLong("model"),
        help: ArgumentHelp(
            "The model: a directory that 'albef import' or 'albef pretrain' wrote, or a name that 'albef models list' shows, which is fetched when it is first used (./NAME for a directory of that name).",
            valueName: "model"))
    var choice = ModelChoice()

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

    /// The name or directory of the model.
    var model: String { choice.name }

    func validate() throws {
        try NumberBounds.check("--threads", threads, 1...1024)
        try NumberBounds.check("--image-size", imageSize, 1...4096)
    }

    /// These options for the model, or the two, of an index.
    ///
    /// - Throws: a `ValidationError` if the index does not say where they were found.
    func like(_ signature: ModelSignature) throws -> ModelOptions {
        let recall = signature.recall?.source
        guard let source = signature.source, (recall == nil) == (signature.recall == nil)
        else { throw ValidationError("the index does not say where its model was found") }
        var options = self
        options.choice = ModelChoice(argument: source)
        options.recall = recall
        options.imageSize = signature.imageSize
        return options
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

    /// The name of a model that is shipped or published; nil for a directory.
    private static func name(_ model: String) throws -> String? {
        if ShippedModel(rawValue: model) != nil { return model }
        guard case .published(let entry) = try ModelReference(model) else { return nil }
        return entry.name
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
        var model = try SearchModel(
            try await directory(note: remarks), recall: second?.path, named: second?.name,
            imageSize: imageSize, device: Device(named: device))
        // Names stay where they are when the cache or the program moves.
        if let name = try Self.name(self.model) { model.source = name }
        if let name = try recall.flatMap(Self.name) { model.recallSource = name }
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

/// What `--model` takes, and whether it was given.
struct ModelChoice: ExpressibleByArgument, Sendable {
    let name: String
    /// False for the model that ships, if nobody asked for it.
    let isMade: Bool

    init() {
        name = ShippedModel.wardrobe.rawValue
        isMade = false
    }

    init(argument: String) {
        name = argument
        isMade = true
    }

    var defaultValueDescription: String { name }
}

extension RecallModel {
    /// What recalls of two models that search.
    init(_ model: EncodingModel) {
        self.init(model.model, text: model.text, transform: model.transform)
    }
}
