internal import Synchronization

/// Decodes the images of a data set, keeps them while there is room, and counts failures.
final class ImageCache: Sendable {
    private struct State {
        var kept: [Int: RGBImage] = [:]
        var bytes = 0
        var failed: Set<Int> = []
    }

    /// This many failures are always tolerated.
    private static let tolerated = 9

    private let images: [CaptionedImage]
    private let loader: ImageLoader
    private let capacity: Int
    private let onFailure: @Sendable (ImageError) -> Void
    private let state = Mutex(State())

    /// - Parameter capacity: The room for decoded images, in bytes.
    init(
        _ images: [CaptionedImage], loader: ImageLoader, capacity: Int,
        onFailure: @escaping @Sendable (ImageError) -> Void
    ) {
        self.images = images
        self.loader = loader
        self.capacity = capacity
        self.onFailure = onFailure
    }

    /// Returns the decoded image at a position.
    ///
    /// A full cache evicts nothing: every image is needed once per epoch, so evicting one to keep
    /// another gains nothing.
    func image(_ position: Int) throws(ImageError) -> RGBImage {
        if capacity > 0, let kept = state.withLock({ $0.kept[position] }) { return kept }
        let image = try loader.load(images[position].path)
        if capacity > 0 {
            state.withLock { state in
                guard state.bytes + image.pixels.count <= capacity,
                    state.kept.updateValue(image, forKey: position) == nil
                else { return }
                state.bytes += image.pixels.count
            }
        }
        return image
    }

    /// Reports the failure of an image, once.
    ///
    /// - Throws: ``DatasetError`` if at least 10 images, and more than 1% of all, have failed.
    func record(_ error: ImageError, of position: Int) throws(DatasetError) {
        let (isNew, count) = state.withLock { state in
            (state.failed.insert(position).inserted, state.failed.count)
        }
        if isNew { onFailure(error) }
        if count > Self.tolerated, count * 100 > images.count {
            throw .tooManyFailures(count, of: images.count, latest: error)
        }
    }
}
