import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// The part of a new model's image encoder that comes from an image tower.
struct ImageStart {
    /// The path of the tower's weights.
    let file: FilePath
    private(set) var vision: ALBEFConfiguration.Vision
    /// The tensors under the names of ``ParameterLayout``.
    let tensors: OrderedDictionary<String, Tensor>
    /// The outcome of every tensor of the file.
    private let entries: [ImportReport.Entry]

    /// Reads a tower: a ViT, or an EfficientNet as the trunk of a new ViT.
    ///
    /// - Parameters:
    ///   - path: the weights, or their folder.
    ///   - plan: the sizes that the tower does not determine.
    ///   - textWidth: the width of the text encoder, which a ViT above a trunk has by default.
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file.
    init(_ path: FilePath, _ plan: StartingPlan, textWidth: Int) throws {
        let file = try TowerFile(path)
        self.file = file.path
        if EfficientNetImport.recognizes(file.elements.keys) {
            let start = try TrunkStart(file, plan, textWidth: textWidth)
            (vision, tensors, entries) = (start.vision, start.tensors, start.entries)
        } else {
            guard plan.trunk == StartingPlan.Trunk() else {
                throw ModelFileError(
                    file.path,
                    .option(
                        "is not an EfficientNet: layers, width, heads and pooling belong to the"
                            + " tower and cannot be chosen"))
            }
            let start = try TransformerStart(file, imageSize: plan.imageSize)
            (vision, tensors, entries) = (
                start.vision, start.tensors.tensors, start.tensors.entries
            )
        }
    }

    func report(_ configuration: ALBEFConfiguration) -> ImportReport {
        ImportReport(file: file.string, configuration, entries)
    }
}

/// An EfficientNet trunk, and the sizes of the layers above it.
private struct TrunkStart {
    let vision: ALBEFConfiguration.Vision
    private(set) var tensors: OrderedDictionary<String, Tensor> = [:]
    let entries: [ImportReport.Entry]

    init(_ file: TowerFile, _ plan: StartingPlan, textWidth: Int) throws {
        let wanted = plan.trunk
        var state = NamedTensors()
        for (name, element) in file.elements { state[name] = element.tensor }
        var options = EfficientNetImport.Options()
        options.form = wanted.form
        options.includesHead = wanted.includesHead ?? true
        // Other packages have one convention, regardless of the documents beside their weights.
        let document =
            EfficientNetNaming(of: file.elements.keys) == .timm ? file.configuration : nil
        if let document { options.timmArchitecture = try document.text("architecture") }
        let found = try EfficientNetImport(state, file: file.path, options: options)

        var trunk = found.configuration
        trunk.poolingGrids = wanted.poolingGrids ?? []
        let pixels = document?.section("pretrained_cfg")
        let size = try pixels?.integers("input_size", count: 3)?.last
        let width = wanted.width ?? textWidth
        guard (1...65_536).contains(width) else {
            throw ModelFileError(
                file.path,
                .option(
                    "cannot have blocks of width \(width) above it; the width must be from 1 to"
                        + " 65536"))
        }
        var vision = ALBEFConfiguration.Vision(
            trunk: trunk, imageSize: plan.imageSize ?? size ?? found.imageSize, width: width,
            depth: wanted.layers ?? 1, heads: wanted.heads ?? Self.heads(width),
            mean: try pixels?.channels("mean") ?? found.mean,
            standardDeviation: try pixels?.channels("std") ?? found.standardDeviation)
        vision.pooling = wanted.pooling ?? .mean
        vision.hasClassToken = vision.pooling == .classToken
        self.vision = vision

        let prefix = "visual_encoder.trunk."
        for (name, tensor) in found.tensors { tensors[prefix + name] = try Tensor(tensor) }
        entries = found.entries.map { entry in
            let source = entry.source.map { file.elements[$0]?.source ?? $0 }
            guard entry.action != .ignored else {
                return .init(
                    name: source ?? entry.name, source: source, action: .ignored,
                    reason: entry.reason)
            }
            return .init(
                name: prefix + entry.name, source: source, action: .renamed, reason: entry.reason)
        }
    }

    /// Returns the largest number of heads, at least 64 wide, that divides a width; at least 1.
    private static func heads(_ width: Int) -> Int {
        guard width >= 128 else { return 1 }
        return (1...width / 64).last { width % $0 == 0 } ?? 1
    }
}

/// A ViT all of whose layers the new model takes over.
private struct TransformerStart {
    var vision: ALBEFConfiguration.Vision
    var tensors: TowerTensors

    init(_ file: TowerFile, imageSize: Int?) throws {
        let layout = try TowerLayout(file)
        vision = try ImageTowerReader(file: file, layout: layout).configuration()
        let others = layout.textRules + layout.scoreRules
        let ignored = IgnoredTensors(layout: layout)
        tensors = try TowerTensors(file, layout.imageRules) { name in
            ignored.reason(name)
                ?? (others.contains { $0.target(of: name) != nil }
                    ? "not part of the image tower" : nil)
        }
        // The new model has its own projection.
        vision.projection = .linear
        try addClassPosition()
        let name = "visual_encoder.pos_embed"
        if let imageSize, imageSize != vision.imageSize, let positions = tensors[name] {
            vision.imageSize = imageSize
            tensors.set(
                name,
                CheckpointParameters.interpolated(
                    positions.reshaped(1, -1, vision.width), to: vision))
        }
        let layers = ParameterLayout(ALBEFConfiguration(vision: vision)).parameters
            .filter { $0.name.hasPrefix("visual_encoder.") }
        let missing = try tensors.fit(layers)
        guard missing.isEmpty else { throw ModelFileError(file.path, .missing(missing)) }
    }

    /// Changes the positions to those of one class token and the patches.
    ///
    /// DeiT-3 adds positions to the patches before it prepends the class token, so the class
    /// token's position is zero. A distilled DeiT has a second token, whose position is dropped.
    private mutating func addClassPosition() throws {
        let name = "visual_encoder.pos_embed"
        guard vision.hasClassToken, let positions = tensors[name]?.reshaped(1, -1, vision.width)
        else { return }
        let rows = positions.size(1)
        if rows == vision.patchCount {
            let zero = Tensor.zeros([1, 1, vision.width])
            tensors.set(name, Tensor.concatenated([zero, positions], 1))
        } else if rows == vision.patchCount + 2 {
            tensors.set(
                name,
                Tensor.concatenated([positions[.all, 0..<1], positions[.all, 2...]], 1))
        }
    }
}
