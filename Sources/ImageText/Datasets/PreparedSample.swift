internal import Storage
internal import SystemPackage

/// A row of a batch before normalisation.
struct PreparedSample: Sendable {
    /// The augmented image; `nil` if the consumer needs no pixels.
    let square: RGBImage?
    let caption: String
    /// All captions of the image.
    let captions: [String]
    let id: Int
    let path: FilePath
    let view: AugmentedView?
}

extension TrainingBatch {
    /// Creates a batch of rows, whose pixels it normalises.
    init(
        _ rows: [PreparedSample], transform: TrainingTransform, at position: BatchLoader.Position
    ) {
        let squares = rows.compactMap(\.square)
        self.init(
            pixels: transform.normalised(squares),
            pixelRows: rows.indices.filter { rows[$0].square != nil },
            views: rows.compactMap(\.view), captions: rows.map(\.caption), ids: rows.map(\.id),
            imageCaptions: rows.map(\.captions), images: rows.map(\.path), epoch: position.epoch,
            index: position.batch)
    }
}

extension TrainingTransform {
    /// Checks that there is memory for the pixels of images, before and after they are normalised.
    ///
    /// - Throws: ``DatasetError`` (``DatasetError/isOutOfMemory``).
    func checkMemory(images: Int) throws(DatasetError) {
        let perImage = count.multipliedReportingOverflow(
            by: MemoryLayout<Float>.stride + MemoryLayout<UInt8>.stride)
        let total = perImage.partialValue.multipliedReportingOverflow(by: images)
        let isPossible = !perImage.overflow && !total.overflow
        guard isPossible, Memory.hasRoom(for: total.partialValue) else {
            throw .outOfMemory(images: images, byteCount: isPossible ? total.partialValue : .max)
        }
    }

    /// Returns the pixels of augmented images, `[squares.count, 3, S, S]`.
    func normalised(_ squares: [RGBImage]) -> [Float] {
        [Float](unsafeUninitializedCapacity: squares.count * count) { buffer, initialized in
            for (place, square) in squares.enumerated() {
                let slot = buffer[place * count..<(place + 1) * count]
                normalise(square, into: UnsafeMutableBufferPointer(rebasing: slot))
            }
            initialized = squares.count * count
        }
    }
}
