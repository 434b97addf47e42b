import ImageText
import Torch

/// A batch of a run, as its task reads it.
enum RunBatch: Sendable {
    /// Images with captions.
    case pairs(TrainingBatch)
    /// The items of a downstream task.
    case items(ItemLoader.Batch)

    /// The epoch, from 0.
    var epoch: Int {
        switch self {
        case .pairs(let batch): batch.epoch
        case .items(let batch): batch.epoch
        }
    }

    /// The position of the batch in its epoch, from 0.
    var index: Int {
        switch self {
        case .pairs(let batch): batch.index
        case .items(let batch): batch.index
        }
    }

    /// The number of rows.
    var count: Int {
        switch self {
        case .pairs(let batch): batch.captions.count
        case .items(let batch): batch.items.count
        }
    }

    /// The captioned images; nil for items.
    var pairs: TrainingBatch? {
        if case .pairs(let batch) = self { batch } else { nil }
    }

    /// The items; nil for captioned images.
    var items: ItemLoader.Batch? {
        if case .items(let batch) = self { batch } else { nil }
    }
}

extension ItemLoader.Batch {
    /// Returns the pixels of the first images, and of the second ones if there are two,
    /// `[B, 3, S, S]`.
    func tensors(side: Int, on device: Device) -> [Tensor] {
        pixels.map { Tensor($0, shape: [items.count, 3, side, side], device: device) }
    }
}
