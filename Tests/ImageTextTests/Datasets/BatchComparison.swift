import ImageText

/// Returns the first batches of an endless sequence.
func first<Batch>(
    _ count: Int, of sequence: some AsyncSequence<Batch, any Error>
) async throws -> [Batch] {
    var batches: [Batch] = []
    guard count > 0 else { return [] }
    for try await batch in sequence {
        batches.append(batch)
        if batches.count == count { break }
    }
    return batches
}

/// Whether two lists have the same batches, pixel by pixel.
func same(_ a: [TrainingBatch], _ b: [TrainingBatch]) -> Bool {
    a.count == b.count
        && zip(a, b).allSatisfy { a, b in
            a.pixels == b.pixels && a.captions == b.captions && a.ids == b.ids
                && a.images == b.images && a.epoch == b.epoch && a.index == b.index
        }
}
