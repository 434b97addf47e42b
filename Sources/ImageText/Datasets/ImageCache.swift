internal import Synchronization
internal import SystemPackage

/// Decodes the images of a data set, keeps them while there is room, and counts failures.
final class ImageCache: Sendable {
    private struct State {
        var kept: [Int: RGBImage] = [:]
        var bytes = 0
        var failed: Set<Int> = []
    }

    /// This many failures are always tolerated.
    private static let tolerated = 9

    private let files: [FilePath]
    private let loader: ImageLoader
    private let capacity: Int
    private let onFailure: @Sendable (ImageError) -> Void
    private let state = Mutex(State())

    /// - Parameter capacity: The room for decoded images, in bytes.
    init(
        _ files: [FilePath], loader: ImageLoader, capacity: Int,
        onFailure: @escaping @Sendable (ImageError) -> Void
    ) {
        self.files = files
        self.loader = loader
        self.capacity = capacity
        self.onFailure = onFailure
    }

    /// Returns the image at a position, randomly changed, as a square.
    ///
    /// A full cache evicts nothing: every image is needed once per epoch, so evicting one to keep
    /// another gains nothing. Of an image that it has no room for, only the random part is decoded.
    func augmented(
        _ position: Int, by transform: TrainingTransform, using random: inout SplitMix64
    ) throws(ImageError) -> RGBImage {
        if capacity > 0, let kept = state.withLock({ $0.kept[position] }) {
            return transform.augmented(kept, using: &random)
        }
        var box: ImagePart?
        var isWhole = false
        let image = try loader.load(files[position]) { width, height in
            let drawn = transform.box(width: width, height: height, using: &random)
            box = drawn
            isWhole = hasRoom(for: 3 * width * height)
            return isWhole ? .whole(width: width, height: height) : drawn
        }
        guard isWhole, let box else { return transform.augmented(part: image, using: &random) }
        keep(image, at: position)
        return transform.augmented(part: image.part { _, _ in box }, using: &random)
    }

    private func hasRoom(for bytes: Int) -> Bool {
        capacity > 0 && state.withLock { $0.bytes + bytes <= capacity }
    }

    private func keep(_ image: RGBImage, at position: Int) {
        state.withLock { state in
            guard state.bytes + image.pixels.count <= capacity,
                state.kept.updateValue(image, forKey: position) == nil
            else { return }
            state.bytes += image.pixels.count
        }
    }

    /// Reports the failure of an image, once.
    ///
    /// - Throws: ``DatasetError`` if at least 10 images, and more than 1% of all, have failed.
    func record(_ error: ImageError, of position: Int) throws(DatasetError) {
        let (isNew, count) = state.withLock { state in
            (state.failed.insert(position).inserted, state.failed.count)
        }
        if isNew { onFailure(error) }
        if count > Self.tolerated, count * 100 > files.count {
            throw .tooManyFailures(count, of: files.count, latest: error)
        }
    }
}
