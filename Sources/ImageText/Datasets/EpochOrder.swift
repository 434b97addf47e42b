/// The rows of a data set, and their order in each epoch.
struct EpochOrder: Sendable {
    /// The rows, by the kind of sampling.
    private enum Rows: Sendable {
        /// Images, by position; the caption is drawn.
        case images([Int32])
        /// Captions, by position of the image and of the caption among its captions.
        case captions([(image: Int32, caption: Int32)])
    }

    private let rows: Rows
    private let seed: UInt64
    private let group: Int
    private let batchSize: Int

    /// The number of rows.
    var count: Int {
        switch rows {
        case .images(let images): images.count
        case .captions(let captions): captions.count
        }
    }

    /// Selects the images that have a caption which is not blank, or all such captions.
    ///
    /// - Parameters:
    ///   - group: The number of rows, consecutive in the data, that stay together.
    ///   - batchSize: The number of rows per batch; the order within a batch is random.
    init(
        _ images: [CaptionedImage], sampling: BatchLoader.Sampling, seed: UInt64, group: Int,
        batchSize: Int
    ) {
        self.seed = seed
        self.group = group
        self.batchSize = batchSize
        switch sampling {
        case .images:
            rows = .images(
                images.indices.filter { index in
                    images[index].captions.contains { !$0.isBlank }
                }.map(Int32.init))
        case .captions:
            rows = .captions(
                images.indices.flatMap { index in
                    images[index].captions.indices
                        .filter { !images[index].captions[$0].isBlank }
                        .map { (image: Int32(index), caption: Int32($0)) }
                })
        }
    }

    /// Returns every row once, in the order of an epoch.
    func rows(ofEpoch epoch: Int) -> [Int32] {
        guard group > 1 else { return Self.shuffled(count, seed: seed, epoch: epoch) }
        var order = (0..<count).map(Int32.init)
        var random = SplitMix64(seed: seed, stream: Stream.order.rawValue, epoch)
        var groups = stride(from: 0, to: count, by: group).map { start in
            order[start..<min(start + group, count)]
        }
        random.shuffle(&groups)
        order = groups.flatMap { $0 }
        // Without this, a row's neighbours in a batch would mostly come from its own group.
        return stride(from: 0, to: count, by: batchSize).flatMap { start in
            var batch = Array(order[start..<min(start + batchSize, count)])
            random.shuffle(&batch)
            return batch
        }
    }

    /// Returns the numbers below `count` in the order of an epoch.
    static func shuffled(_ count: Int, seed: UInt64, epoch: Int) -> [Int32] {
        var order = (0..<count).map(Int32.init)
        var random = SplitMix64(seed: seed, stream: Stream.order.rawValue, epoch)
        random.shuffle(&order)
        return order
    }

    /// Returns the position of a row's image, and its caption.
    func sample(
        _ row: Int, of images: [CaptionedImage], using random: inout SplitMix64
    ) -> (image: Int, caption: String) {
        switch rows {
        case .images(let positions):
            let image = Int(positions[row])
            let captions = images[image].captions.filter { !$0.isBlank }
            return (image, captions[random.integer(below: captions.count)])
        case .captions(let positions):
            let (image, caption) = positions[row]
            return (Int(image), images[Int(image)].captions[Int(caption)])
        }
    }

    /// The purpose of random numbers: the first number of a generator's stream.
    enum Stream: Int {
        case order, sample, replacement, view, buffer
    }
}

extension String {
    /// Whether the text is empty or consists of white space.
    fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
