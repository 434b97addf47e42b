public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Evaluates a model by the boxes that its heat maps choose for texts, as ALBEF does on RefCOCO+
/// without having learned any box.
///
/// For each text, Grad-CAM of one layer gives a heat map, and `BoxHeat` chooses one of the
/// proposals. The choice is right if it overlaps the true box by at least one half.
public struct GroundingEvaluator: Sendable {
    /// The outcomes of one layer, with their metrics.
    public struct Result: Sendable {
        /// The layer whose attention gave the heat maps.
        public let layer: GradCAMLayer
        /// The outcomes of all texts whose images could be read, in the order of the data set.
        public let outcomes: [GroundingOutcome]
        /// How often the model is right.
        public let metrics: GroundingMetrics
    }

    /// The outcomes of several layers.
    public struct Evaluation: Sendable {
        /// The results, in the order of the layers.
        public let results: [Result]
        /// The number of images that were encoded.
        public let images: Int
        /// The errors of the images that could not be read; their texts are left out.
        public let unreadable: [ImageError]
    }

    /// What was found for a text, with its heat map.
    public struct Finding: Sendable {
        /// The index of the text in the data set.
        public let index: Int
        /// The layer whose attention gave the heat map.
        public let layer: GradCAMLayer
        /// The chosen box.
        public let outcome: GroundingOutcome
        /// The heat of each patch, `[h, w]`, row by row.
        public let map: [Float]
        /// The place of the map on the image.
        public let placement: HeatPlacement
    }

    private let items: [GroundingItem]
    private let source: String
    private let encoder: EvaluationEncoder
    private let loader: ImageLoader

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - dataset: The texts to evaluate, with proposals.
    ///   - source: The name of the data set in errors, such as its files.
    ///   - preprocessing: The preprocessing of the model's images and texts.
    /// - Throws: ``TrainingError`` if the data set has no texts, or no proposals at all.
    public init(
        _ dataset: GroundingDataset, source: String = "the data set",
        preprocessing: ModelPreprocessing
    ) throws(TrainingError) {
        guard !dataset.items.isEmpty else {
            throw .nothingToEvaluate(
                source, "texts",
                dataset.missingCount > 0
                    ? "the images of all \(dataset.missingCount) are missing"
                    : "the data contains none")
        }
        guard dataset.items.contains(where: { !$0.proposals.isEmpty }) else {
            throw .nothingToEvaluate(
                source, "texts with boxes to choose from",
                "no image has proposals; name a file of proposals with boxes")
        }
        items = dataset.items
        self.source = source
        encoder = EvaluationEncoder(preprocessing: preprocessing)
        loader = ImageLoader(targetSide: preprocessing.image.side)
    }

    /// Chooses a box for every text by each of several layers.
    ///
    /// Texts are read in the order of their images, so each image is encoded only once. All layers
    /// of a mode share one forward and one backward pass per text.
    ///
    /// - Parameters:
    ///   - model: The model to evaluate.
    ///   - layers: The layers whose attention to measure, at least one; see
    ///     `ALBEFConfiguration.gradCAMLayer(_:_:)`.
    ///   - skipsUnreadable: Whether to leave out texts whose images are damaged. Default: false.
    ///   - observe: Called with each finding, in the order in which they are made.
    ///   - progress: Called with the number of texts done and the total, which has every text once
    ///     per mode.
    /// - Returns: The outcomes and the metrics of each layer.
    /// - Throws: `ImageError` that names a file; ``TrainingError`` if a map is not finite or no image
    ///   can be read; `ALBEFError` if the model lacks a layer or what it needs; `TorchError` if
    ///   there is not enough memory; `CancellationError`; the errors of `observe`.
    /// - Complexity: By ITM one pass of the image encoder per image, and one forward and backward
    ///   pass of the fusion encoder per text; by ITC one forward and backward pass per text of the
    ///   blocks from the lowest layer. Memory holds at most 64 images.
    public func evaluate(
        _ model: ALBEFModel, layers: [GradCAMLayer], skipsUnreadable: Bool = false,
        observe: (Finding) throws -> Void = { _ in },
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Evaluation {
        precondition(!layers.isEmpty, "name at least one layer")
        let modes = GradCAMMode.allCases.filter { mode in layers.contains { $0.mode == mode } }
        let images = Self.images(of: items)
        let total = items.count * modes.count
        var done = 0
        var outcomes = [GradCAMLayer: [Int: GroundingOutcome]]()
        var unreadable: [ImageError] = []
        var encoded = 0
        for start in stride(from: 0, to: images.count, by: EvaluationEncoder.imagesAtOnce) {
            let batch = Array(
                images[start..<min(start + EvaluationEncoder.imagesAtOnce, images.count)])
            var readable: [ImageTexts] = []
            var prepared: [EvaluationEncoder.Prepared] = []
            for (image, result) in zip(batch, await load(batch)) {
                switch result {
                case .success(let pixels):
                    readable.append(image)
                    prepared.append(pixels)
                case .failure(let error):
                    guard skipsUnreadable else { throw error }
                    unreadable.append(error)
                    done += image.texts.count * modes.count
                }
            }
            guard !readable.isEmpty else { continue }
            encoded += readable.count
            let mapper = try HeatMapper(
                model, encoder, prepared, readable, items, layers: layers)
            var sums: [HeatPlacement: BoxHeat] = [:]
            for (mode, pairs) in mapper.passes {
                try Task.checkCancellation()
                for found in try mapper.maps(of: pairs, by: mode) {
                    let item = items[found.index]
                    guard found.map.allSatisfy(\.isFinite) else {
                        throw TrainingError.scoreNotFinite("\(item.file): \(item.entry)")
                    }
                    let placement = mapper.placement(of: item)
                    let heat = sums[placement] ?? BoxHeat(placement)
                    sums[placement] = heat
                    let outcome = GroundingOutcome(
                        item: item, choice: heat.choice(of: item.proposals, by: found.map))
                    outcomes[found.layer, default: [:]][found.index] = outcome
                    try observe(
                        Finding(
                            index: found.index, layer: found.layer, outcome: outcome,
                            map: found.map, placement: placement))
                }
                done += pairs.count
                progress(done, total)
            }
        }
        guard encoded > 0 else {
            throw TrainingError.nothingToEvaluate(source, "texts", "no image can be read")
        }
        return Evaluation(
            results: layers.map { layer in
                let found = items.indices.compactMap { outcomes[layer]?[$0] }
                return Result(layer: layer, outcomes: found, metrics: GroundingMetrics(found))
            }, images: encoded, unreadable: unreadable)
    }

    /// Returns the distinct images in order of first appearance, with their texts.
    private static func images(of items: [GroundingItem]) -> [ImageTexts] {
        var images: [ImageTexts] = []
        var places: [FilePath: Int] = [:]
        for (index, item) in items.enumerated() {
            if let place = places[item.image] {
                images[place].texts.append(index)
            } else {
                places[item.image] = images.count
                images.append(ImageTexts(path: item.image, texts: [index]))
            }
        }
        return images
    }

    /// Reads and prepares images in parallel.
    private func load(
        _ images: [ImageTexts]
    ) async -> [Swift.Result<EvaluationEncoder.Prepared, ImageError>] {
        await withTaskGroup(
            of: (Int, Swift.Result<EvaluationEncoder.Prepared, ImageError>).self
        ) { group in
            for (index, image) in images.enumerated() {
                group.addTask {
                    let result = Swift.Result { () throws(ImageError) in
                        encoder.prepare(try loader.load(image.path))
                    }
                    return (index, result)
                }
            }
            var found = [Swift.Result<EvaluationEncoder.Prepared, ImageError>](
                repeating: .success(.init()), count: images.count)
            for await (index, result) in group { found[index] = result }
            return found
        }
    }
}

/// An image with the indices of its texts.
struct ImageTexts: Sendable {
    let path: FilePath
    var texts: [Int]
}
