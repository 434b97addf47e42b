public import Torch
package import WeightFiles

/// The last M image and text keys of the momentum teacher, which give ITC more negatives than a
/// batch could hold (He et al., 2020, "Momentum contrast").
///
/// The queues are rings: the newest batch overwrites the oldest keys and may wrap around. On disk
/// they have the original's names and shapes: `image_queue` and `text_queue` `[E, M]`, `queue_ptr`
/// `[1]`, and, if positives are chosen by image, `idx_queue` `[1, M]`.
public struct ContrastiveQueues: Sendable {
    /// Image keys `[E, M]`, unit length along E.
    public private(set) var images: Tensor
    /// Text keys `[E, M]`, unit length along E.
    public private(set) var texts: Tensor
    /// The image of each pair of keys, `[M]`; -100 if it is unknown.
    public private(set) var ids: Tensor
    /// The index of the next key, in `0..<M`.
    public private(set) var pointer: Int
    /// The number of keys M.
    public var length: Int { images.size(1) }

    static let unknownID = -100

    /// Creates queues of unit vectors in random directions, as the original does.
    ///
    /// - Parameters:
    ///   - width: the length of a key (E).
    ///   - length: the number of keys (M), at least 1.
    ///   - generator: the source of random numbers.
    ///   - device: the device of the queues.
    public init(width: Int, length: Int, generator: Generator, device: Device) {
        precondition(length > 0, "a queue needs at least 1 key, not \(length)")
        images = Tensor.normal([width, length], generator: generator).normalized(0).to(device)
        texts = Tensor.normal([width, length], generator: generator).normalized(0).to(device)
        ids = .full([length], Double(Self.unknownID), dtype: .int64, device: device)
        pointer = 0
    }

    /// Creates queues from stored tensors.
    ///
    /// - Parameters:
    ///   - newImages: image keys `[E, M]`.
    ///   - newTexts: text keys `[E, M]`.
    ///   - newIDs: the image of each pair of keys, `[M]` or `[1, M]`; nil if the file has none.
    ///   - pointer: the index of the next key.
    package init(images: Tensor, texts: Tensor, ids: Tensor?, pointer: Int) {
        precondition(
            images.shape == texts.shape && images.rank == 2,
            "image queue \(images.shape) and text queue \(texts.shape) must both be [E, M]")
        self.images = images
        self.texts = texts
        let length = images.size(1)
        self.ids =
            ids?.reshaped(length)
            ?? .full([length], Double(Self.unknownID), dtype: .int64, device: images.device)
        // A file may contain any number.
        self.pointer = (pointer % length + length) % length
    }

    /// Replaces the oldest keys with those of a batch.
    ///
    /// After a failure inside `recovering` it does nothing.
    ///
    /// - Parameters:
    ///   - newImages: image keys `[N, E]`.
    ///   - newTexts: text keys `[N, E]`.
    ///   - newIDs: the image of each pair, `[N]`; nil if unknown.
    public mutating func enqueue(
        images newImages: Tensor, texts newTexts: Tensor, ids newIDs: Tensor?
    ) {
        guard !TorchError.isPending else { return }
        // Only the end of a batch longer than the ring would remain.
        let skipped = max(0, newImages.size(0) - length)
        let imageKeys = newImages.detached()[skipped...].transposed()
        let textKeys = newTexts.detached()[skipped...].transposed()
        var (next, done) = ((pointer + skipped) % length, 0)
        while done < imageKeys.size(1) {
            let count = min(length - next, imageKeys.size(1) - done)
            let (from, to) = (done..<done + count, next..<next + count)
            images[.all, to] = imageKeys[.all, from]
            texts[.all, to] = textKeys[.all, from]
            if let newIDs {
                ids[to] = newIDs[skipped...][from]
            } else {
                ids[to] = .full([count], Double(Self.unknownID), dtype: .int64, device: ids.device)
            }
            next = (next + count) % length
            done += count
        }
        // A failure leaves the pointer in place, so the next batch overwrites a partial write.
        guard !TorchError.isPending else { return }
        pointer = next
    }

    /// The position of the next batch, and a copy of the keys that it overwrites.
    package struct Slots {
        let pointer: Int
        let positions, images, texts, ids: Tensor
    }

    /// Copies the keys that a batch of N overwrites, which are few compared with the queues.
    package func slots(ofNext count: Int) -> Slots {
        let positions = Tensor(
            (0..<min(count, length)).map { (pointer + $0) % length }, device: images.device)
        return Slots(
            pointer: pointer, positions: positions, images: images.selected(1, positions),
            texts: texts.selected(1, positions), ids: ids.selected(0, positions))
    }

    /// Restores the keys that a batch has overwritten.
    package mutating func restore(_ slots: Slots) {
        images[.all, slots.positions] = slots.images
        texts[.all, slots.positions] = slots.texts
        ids[slots.positions] = slots.ids
        pointer = slots.pointer
    }

    /// Returns the queues as entries of a weights file.
    package func entries(withIDs: Bool) -> [SafetensorsWriter.Entry] {
        var entries = [
            images.entry(named: "image_queue"), texts.entry(named: "text_queue"),
            Tensor([pointer]).entry(named: "queue_ptr"),
        ]
        if withIDs { entries.append(ids.reshaped(1, length).entry(named: "idx_queue")) }
        return entries
    }
}
