package import WeightFiles
public import Torch

/// The last M keys of the momentum teacher, images and texts apart: the negatives of ITC that no
/// batch could hold (He et al., 2020, "Momentum contrast").
///
/// Rings: the newest batch overwrites the oldest, and may wrap around, whatever its size. On disk
/// they have the original's names and shapes: `image_queue`, `text_queue` `[E, M]`, `queue_ptr`
/// `[1]` and, where positives are told by image, `idx_queue` `[1, M]`.
public struct ContrastiveQueues: Sendable {
    /// Image keys `[E, M]`, unit length along E.
    public private(set) var images: Tensor
    /// Text keys `[E, M]`, unit length along E.
    public private(set) var texts: Tensor
    /// The image each pair of keys came from `[M]`; -100 where none was told.
    public private(set) var ids: Tensor
    /// Where the next key goes, in `0..<M`.
    public private(set) var pointer: Int
    /// The number of keys M.
    public var length: Int { images.size(1) }

    static let unknownID = -100

    /// Queues of unit vectors in random directions, as the original starts them.
    ///
    /// - Parameters:
    ///   - width: length of a key (E).
    ///   - length: number of keys (M), at least 1.
    public init(width: Int, length: Int, generator: Generator, device: Device) {
        precondition(length > 0, "a queue of \(length) keys")
        images = Tensor.normal([width, length], generator: generator).normalized(0).to(device)
        texts = Tensor.normal([width, length], generator: generator).normalized(0).to(device)
        ids = .full([length], Double(Self.unknownID), dtype: .int64, device: device)
        pointer = 0
    }

    /// Continues with queues as they were stored.
    ///
    /// - Parameter ids: `[M]` or `[1, M]`; nil where the file has none.
    package init(images: Tensor, texts: Tensor, ids: Tensor?, pointer: Int) {
        precondition(
            images.shape == texts.shape && images.rank == 2, "queues of different shapes")
        self.images = images
        self.texts = texts
        let length = images.size(1)
        self.ids =
            ids?.reshaped(length)
            ?? .full([length], Double(Self.unknownID), dtype: .int64, device: images.device)
        // A file may hold any number.
        self.pointer = (pointer % length + length) % length
    }

    /// Puts a batch of keys in the place of the oldest.
    ///
    /// Does nothing in a `recovering` that has failed.
    ///
    /// - Parameters:
    ///   - images: image keys `[N, E]`.
    ///   - texts: text keys `[N, E]`.
    ///   - ids: the image of each pair `[N]`; nil if that is not known.
    public mutating func enqueue(
        images newImages: Tensor, texts newTexts: Tensor, ids newIDs: Tensor?
    ) {
        guard !TorchError.isPending else { return }
        // Of a batch longer than the ring only the end would be left anyway.
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
        // What a failure left half written is written over by the next batch.
        guard !TorchError.isPending else { return }
        pointer = next
    }

    /// The place of the next batch, and the keys that it overwrites.
    package struct Slots {
        let pointer: Int
        let positions, images, texts, ids: Tensor
    }

    /// Copies the keys that a batch of N overwrites, which are few beside the queues.
    package func slots(ofNext count: Int) -> Slots {
        let positions = Tensor(
            (0..<min(count, length)).map { (pointer + $0) % length }, device: images.device)
        return Slots(
            pointer: pointer, positions: positions, images: images.selected(1, positions),
            texts: texts.selected(1, positions), ids: ids.selected(0, positions))
    }

    /// Puts keys back that a batch has overwritten.
    package mutating func restore(_ slots: Slots) {
        images[.all, slots.positions] = slots.images
        texts[.all, slots.positions] = slots.texts
        ids[slots.positions] = slots.ids
        pointer = slots.pointer
    }

    /// The queues as entries of a weights file.
    package func entries(withIDs: Bool) -> [SafetensorsWriter.Entry] {
        var entries = [
            images.entry(named: "image_queue"), texts.entry(named: "text_queue"),
            Tensor([pointer]).entry(named: "queue_ptr"),
        ]
        if withIDs { entries.append(ids.reshaped(1, length).entry(named: "idx_queue")) }
        return entries
    }
}
