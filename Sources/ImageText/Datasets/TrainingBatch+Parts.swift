import SystemPackage

extension TrainingBatch {
    /// Returns the whole batch of which this is the part with pixels and views.
    ///
    /// - Parameters:
    ///   - captions: the captions of all rows, `[B]`.
    ///   - ids: the identifiers of their images, `[B]`.
    ///   - imageCaptions: all captions of these images, `[B]`.
    ///   - images: the files of these images, `[B]`.
    package func joined(
        captions: [String], ids: [Int], imageCaptions: [[String]], images: [String]
    ) -> TrainingBatch {
        TrainingBatch(
            pixels: pixels, pixelRows: pixelRows, views: views, captions: captions, ids: ids,
            imageCaptions: imageCaptions, images: images.map { FilePath($0) }, epoch: epoch,
            index: index)
    }
}
