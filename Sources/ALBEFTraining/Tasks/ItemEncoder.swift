import ALBEF
import ImageText
import SystemPackage
import Torch

/// Reads and encodes the images of items in batches, each image of a batch once.
struct ItemEncoder: Sendable {
    /// The number of items per batch.
    static let itemsAtOnce = 32

    /// Items whose images could be read, with their image tokens.
    struct Encoded {
        /// The positions of the items.
        let items: [Int]
        /// The tokens `[items.count, P + 1, D_v]` of the first images, and of the second ones if
        /// there are two.
        let images: [Tensor]
        /// The errors of images that could not be read; their items are left out.
        let unreadable: [ImageError]
    }

    private let image: ImageTransform
    private let loader: ImageLoader

    /// Creates an encoder that prepares images by a transform.
    init(_ image: ImageTransform) {
        self.image = image
        loader = ImageLoader(targetSide: image.side)
    }

    /// Returns a number for each item that is equal for items of the same images.
    static func groups(of images: [[FilePath]]) -> [Int] {
        var groups: [[FilePath]: Int] = [:]
        return images.enumerated().map { place, files in
            let group = groups[files] ?? place
            groups[files] = group
            return group
        }
    }

    /// Returns the items in batches, those of the same images side by side.
    static func batches(of images: [[FilePath]]) -> [[Int]] {
        let groups = groups(of: images)
        let order = images.indices.sorted { (groups[$0], $0) < (groups[$1], $1) }
        return stride(from: 0, to: order.count, by: itemsAtOnce).map {
            Array(order[$0..<min(order.count, $0 + itemsAtOnce)])
        }
    }

    /// Encodes all items in batches, and collects what is predicted of them.
    ///
    /// - Parameters:
    ///   - files: The image files of each item of the data.
    ///   - skipsUnreadable: Whether to leave out items with a damaged image.
    ///   - progress: Called with the number of items done and the total.
    ///   - predict: Returns a prediction for each item of a batch, which has at least one.
    /// - Returns: The predictions in the order of the batches, and the errors of damaged images.
    /// - Throws: As ``encode(_:of:_:skipsUnreadable:)``; the errors of `predict`.
    func predictions<Prediction>(
        of files: [[FilePath]], _ model: ALBEFModel, skipsUnreadable: Bool,
        progress: (Int, Int) -> Void, _ predict: (Encoded) throws -> [Prediction]
    ) async throws -> (predictions: [Prediction], unreadable: [ImageError]) {
        var found: (predictions: [Prediction], unreadable: [ImageError]) = ([], [])
        var done = 0
        for batch in Self.batches(of: files) {
            let encoded = try await encode(
                batch, of: files, model, skipsUnreadable: skipsUnreadable)
            found.unreadable += encoded.unreadable
            if !encoded.items.isEmpty { found.predictions += try predict(encoded) }
            done += batch.count
            progress(done, files.count)
        }
        return found
    }

    /// Encodes the images of some items.
    ///
    /// - Parameters:
    ///   - items: The positions of the items.
    ///   - files: The image files of each item of the data.
    ///   - skipsUnreadable: Whether to leave out items with a damaged image.
    /// - Throws: `ImageError` unless such items are left out; `TorchError` if there is not enough
    ///   memory; `CancellationError`.
    func encode(
        _ items: [Int], of files: [[FilePath]], _ model: ALBEFModel, skipsUnreadable: Bool
    ) async throws -> Encoded {
        try Task.checkCancellation()
        var different: [FilePath] = []
        var places: [FilePath: Int] = [:]
        for file in items.flatMap({ files[$0] }) where places[file] == nil {
            places[file] = different.count
            different.append(file)
        }
        let prepared = await withTaskGroup(
            of: (Int, Result<[Float], ImageError>).self
        ) { [different] group in
            for (place, file) in different.enumerated() {
                group.addTask {
                    (
                        place,
                        Result { () throws(ImageError) in image(try loader.load(file)) }
                    )
                }
            }
            var prepared = [Result<[Float], ImageError>](
                repeating: .success([]), count: different.count)
            for await (place, pixels) in group { prepared[place] = pixels }
            return prepared
        }
        try Task.checkCancellation()
        var pixels: [Float] = []
        var rows: [FilePath: Int] = [:]
        var unreadable: [ImageError] = []
        for (file, result) in zip(different, prepared) {
            switch result {
            case .success(let own):
                rows[file] = rows.count
                pixels += own
            case .failure(let error):
                guard skipsUnreadable else { throw error }
                unreadable.append(error)
            }
        }
        let readable = items.filter { files[$0].allSatisfy { rows[$0] != nil } }
        guard let first = readable.first else {
            return Encoded(items: [], images: [], unreadable: unreadable)
        }
        let shape = [rows.count, 3, image.side, image.side]
        let images = try recovering {
            try withoutGradients {
                let tokens = try model.encodeTokens(
                    Tensor(pixels, shape: shape, device: model.device))
                return files[first].indices.map { slot in
                    tokens[
                        Tensor(
                            readable.map { rows[files[$0][slot]] ?? 0 }, device: model.device)]
                }
            }
        }
        return Encoded(items: readable, images: images, unreadable: unreadable)
    }
}
