package import Torch

/// The part of a batch that this process computes, if several processes train together.
///
/// Every process has the texts of the whole batch, and the images of its own part. Without a group
/// the part is the whole batch, and all functions return their arguments.
package struct BatchShare: Sendable {
    /// The pairs among which hard negatives are drawn.
    package enum Scope: Sendable {
        /// All pairs of the batch, as in a single process.
        case batch
        /// The pairs of a process, whose states then need not be exchanged.
        case part
    }

    private let group: ProcessGroup?
    private let scope: Scope

    /// The share of a process that trains alone.
    package static let whole = BatchShare(nil)

    /// Creates the share of a process.
    ///
    /// - Parameters:
    ///   - group: the processes; nil for a single one.
    ///   - scope: the pairs among which hard negatives are drawn.
    package init(_ group: ProcessGroup?, scope: Scope = .batch) {
        self.group = group
        self.scope = scope
    }

    /// The number of processes.
    var count: Int { group?.count ?? 1 }
    /// Whether hard negatives can belong to other processes.
    var exchangesStates: Bool { group != nil && scope == .batch }

    /// The rows of a batch that belong to this process.
    ///
    /// - Precondition: the number of rows is a multiple of the number of processes.
    func rows(of total: Int) -> Range<Int> {
        guard let group else { return 0..<total }
        precondition(
            total % group.count == 0, "\(total) pairs cannot be divided among \(group.count)")
        let size = total / group.count
        return group.rank * size..<(group.rank + 1) * size
    }

    /// Returns the rows of this process.
    func part(_ tensor: Tensor) -> Tensor {
        group == nil ? tensor : tensor[rows(of: tensor.size(0))]
    }

    /// Returns the texts of this process, with its images.
    func part(_ batch: PretrainingBatch) -> PretrainingBatch {
        guard group != nil else { return batch }
        var part = batch
        part.ids = self.part(batch.ids)
        part.mask = self.part(batch.mask)
        part.imageIDs = batch.imageIDs.map(self.part)
        part.truths = nil
        return part
    }

    /// Returns the hidden tokens of this process's texts.
    func part(_ masked: MaskedTokens) -> MaskedTokens {
        guard group != nil else { return masked }
        let (rows, length) = (rows(of: masked.ids.size(0)), masked.ids.size(1))
        let tokens = rows.lowerBound * length..<rows.upperBound * length
        let positions: [Int] = masked.positions.values()
        let labels: [Int] = masked.labels.values()
        let own = zip(positions, labels).filter { tokens.contains($0.0) }
        let device = masked.ids.device
        return MaskedTokens(
            ids: masked.ids[rows],
            positions: Tensor(own.map { $0.0 - tokens.lowerBound }, device: device),
            labels: Tensor(own.map(\.1), device: device))
    }

    /// Returns the rows of all processes; the gradient of a row comes back to its process.
    func gathered(_ tensor: Tensor) throws -> Tensor {
        guard let group else { return tensor }
        return try group.allGather(tensor)
    }

    /// Returns the features of all processes.
    func gathered(
        _ features: ContrastiveObjective.Features
    ) throws -> ContrastiveObjective.Features {
        guard group != nil else { return features }
        return ContrastiveObjective.Features(
            images: try gathered(features.images), texts: try gathered(features.texts))
    }

    /// Returns whether each pair of a batch can be a negative of each other one, `[N, N]`; nil if
    /// all can.
    func reachable(ofBatch total: Int, device: Device) -> Tensor? {
        guard group != nil, scope == .part else { return nil }
        let size = total / count
        let owners = Tensor((0..<total).map { $0 / size }, device: device)
        return owners.unsqueezed(1).isEqual(to: owners)
    }

    /// Returns negatives further on in the batch, or in this process's part of it.
    ///
    /// - Returns: indices into the whole batch, one per pair of this process.
    func shifted(by shift: Int, ofBatch total: Int, device: Device) -> Negatives {
        let rows = rows(of: total)
        guard group != nil, scope == .part else {
            let all = Negatives.shifted(by: shift, count: total, device: device)
            return Negatives(images: part(all.images), texts: part(all.texts))
        }
        let own = Negatives.shifted(by: shift, count: rows.count, device: device)
        let indices = (own.images + Double(rows.lowerBound)).to(.int64)
        return Negatives(images: indices, texts: indices)
    }
}
