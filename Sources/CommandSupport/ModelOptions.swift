import ALBEF
public import ArgumentParser
import Downloads
import Foundation
package import Retrieval
import SystemPackage
public import Torch

/// The options of every command that runs a model.
package struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The model: a directory that 'albef import' or 'albef pretrain' wrote, or a name from \
            'albef models list', which is fetched on first use (./NAME for a directory of that \
            name); default: the model that made the index, else \(ShippedModel.default.rawValue); \
            for drawn scenes, \(ShippedModel.wardrobe.rawValue).
            """,
            valueName: "model"), completion: .directory)
    package var model: String?

    @Option(
        name: .customLong("recall"),
        help: ArgumentHelp(
            """
            A second model, such as SigLIP or CLIP, whose features find the candidates that --model \
            re-ranks; default: --model does both. For 'search' and 'serve' also the address \
            milvus://HOST:PORT/COLLECTION of a store that proposes candidates; may be given twice, \
            for a model and an address.
            """,
            valueName: "model"), completion: .directory)
    package var recalls: [String] = []

    @Option(
        help: ArgumentHelp(
            "Side of the input images of --model in pixels; default: that of the weights.",
            valueName: "pixels"))
    package var imageSize: Int?

    @Option(help: ArgumentHelp("cpu, cuda, cuda:N, mps or auto.", valueName: "device"))
    package var device = "auto"

    @Option(
        help: ArgumentHelp(
            """
            The number format of matrix products: float32, which is exact; bfloat16, which is \
            several times as fast on processors with AMX or AVX512-BF16 and changes scores in their \
            third digit; or int8, which is twice as fast as float32 on processors with VNNI and \
            changes them in their second. Default: bfloat16 where it is fast, for searches and \
            indexes of models at least 512 wide or with a trunk, such as photos; else float32.
            """,
            valueName: "type"))
    package var computeType: ComputeType?

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    package var threads: Int?

    package init() {}

    /// The second model; nil for none.
    package var recall: String? {
        get { recalls.first { !MilvusAddress.isAddress($0) } }
        set {
            recalls = recalls.filter { MilvusAddress.isAddress($0) } + [newValue].compactMap(\.self)
        }
    }

    /// The address of the store that proposes candidates; nil for the index itself.
    package var store: String? { recalls.first { MilvusAddress.isAddress($0) } }

    package func validate() throws {
        guard recalls.count == [recall, store].compactMap(\.self).count else {
            throw ValidationError("--recall names at most one model and one address.")
        }
        try NumberBounds.check("--threads", threads, 1...1024)
        try NumberBounds.check("--image-size", imageSize, 1...4096)
    }

    /// Returns these options with the model, or the two models, of an index.
    ///
    /// - Throws: A `ValidationError` if the index does not record where they were found.
    package func like(_ signature: ModelSignature) throws -> ModelOptions {
        let recall = signature.recall?.source
        guard let source = signature.source, (recall == nil) == (signature.recall == nil)
        else { throw ValidationError("the index does not record where its model was found") }
        var options = self
        options.model = source
        options.recall = recall
        options.imageSize = signature.imageSize
        return options
    }

    /// These options without the address of a store.
    package var withoutStore: ModelOptions {
        var options = self
        options.recalls = [recall].compactMap(\.self)
        return options
    }

    /// Returns the name of a shipped or published model; nil for a directory.
    private static func name(_ model: String) throws -> String? {
        if ShippedModel(rawValue: model) != nil { return model }
        guard case .published(let entry) = try ModelReference(model) else { return nil }
        return entry.name
    }

    /// Returns a model's directory and name, and fetches a published model first if it is missing.
    private func named(
        _ name: String, note: (@Sendable (String) -> Void)?
    ) async throws -> NamedModel {
        try ModelReference(name).named(at: await ModelFetch(note: note).model(name))
    }

    /// Loads the named model, or else the one that made an index, or else the default.
    ///
    /// - Parameters:
    ///   - signature: the model of the index; nil if there is no index yet.
    ///   - note: receives remarks; if nil, they go to standard error.
    ///   - isExact: as in ``load(or:note:isExact:)``; false, the default, for the fastest type.
    /// - Throws: A `ValidationError` if the model of the index cannot be loaded; otherwise the
    ///   errors of ``load(or:note:isExact:)``.
    package func load(
        of signature: ModelSignature?, note: (@Sendable (String) -> Void)? = nil,
        isExact: Bool = false
    ) async throws -> SearchModel {
        guard model == nil, recall == nil, let signature, var own = try? like(signature) else {
            return try await load(note: note, isExact: isExact)
        }
        own.imageSize = imageSize ?? own.imageSize
        do { return try await own.load(note: note, isExact: isExact) } catch let error
            as CancellationError
        {
            throw error
        } catch let error as TorchError {
            // Not the model's fault, but the device's.
            throw error
        } catch {
            throw ValidationError(
                "the model that made the index, \(signature.title), cannot be loaded: \(error); if it"
                    + " was moved, name it with --model.")
        }
    }

    /// Loads the model, and notes its name, what it was trained on, and whether it is untrained.
    ///
    /// - Parameters:
    ///   - shipped: the model to load if none is named.
    ///   - note: receives remarks; if nil, they go to standard error.
    ///   - isExact: whether to multiply in single precision unless another type is named, as
    ///     commands that report scores do.
    package func load(
        or shipped: ShippedModel = .default, note remarks: (@Sendable (String) -> Void)? = nil,
        isExact: Bool = true
    ) async throws -> SearchModel {
        let note = remarks ?? { Console.note($0) }
        if let store {
            throw ValidationError(
                "--recall \(MilvusAddress.shown(store)): only 'search' and 'serve' ask such a store;"
                    + " 'albef index push' fills it.")
        }
        if let threads { setThreadCount(threads) }
        let device = try Device(named: device)
        if let remark = computeType?.remark(on: device) { note(remark) }
        let name = model ?? shipped.rawValue
        if ShippedModel(rawValue: name)?.directory != nil,
            FileManager.default.fileExists(atPath: "\(name)/config.json")
        {
            note(
                "note: '\(name)' is the model that ships with the program; to use the one in the"
                    + " directory '\(name)' here, pass --model ./\(name)")
        }
        var second: NamedModel?
        if let recall { second = try await named(recall, note: remarks) }
        var model = try SearchModel(
            try await named(name, note: remarks), recall: second, imageSize: imageSize,
            device: device, computeType: computeType ?? (isExact ? .float32 : nil))
        // Record names: they stay valid when the cache or the program moves.
        if let name = try Self.name(name) { model.source = name }
        if let name = try recall.flatMap(Self.name) { model.recallSource = name }
        for each in model.models { note(each.introduction.displayed) }
        for each in model.models where !each.model.configuration.isTrained {
            note(
                "note: the weights of this model are untrained; its results mean nothing")
            break
        }
        return model
    }
}

extension ComputeType: ExpressibleByArgument {
    /// A note that a device computes in single precision instead; nil where it has this type.
    package func remark(on device: Device) -> String? {
        isAvailable(on: device)
            ? nil : "note: \(device) has no products in \(rawValue); computing in float32"
    }
}

extension MilvusAddress {
    /// Returns an address without a token, for errors.
    fileprivate static func shown(_ address: String) -> String {
        (try? MilvusAddress(address)).map { "\($0)" } ?? "milvus://…"
    }
}
