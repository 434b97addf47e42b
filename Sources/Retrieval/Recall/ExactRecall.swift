import CVectors
import Dispatch
import Synchronization
import Torch
import WeightFiles

/// Exact recall, which reads every feature once, in 8 bits if the index has them, and excludes only
/// entries that cannot be among the nearest.
///
/// The cosine of an 8-bit feature is known up to the possible rounding error. Rows whose upper
/// bound is below the k-th best lower bound are excluded, and the few remaining rows are compared
/// in single precision. The result equals a comparison of all rows in single precision, but reads a
/// quarter of the bytes.
struct ExactRecall {
    /// The number of rows that are compared between updates of the bounds.
    private static let blockRows = 4096

    private let segments: [IndexSegment]
    private let first: Int
    private let query: QuantizedQuery
    private let count: Int
    private let admits: @Sendable (ForwardIndex.EntryID) -> Bool

    private struct Block {
        let segment: Int
        let rows: Range<Int>
    }

    /// Prepares a search.
    ///
    /// - Parameters:
    ///   - segments: The segments of the index.
    ///   - first: The first segment to search. Default: 0.
    ///   - query: A feature.
    ///   - count: The maximum number of entries to find.
    ///   - admits: Returns whether an entry may be found. Default: every entry.
    init(
        _ segments: [IndexSegment], from first: Int = 0, query: QuantizedQuery, count: Int,
        admits: @escaping @Sendable (ForwardIndex.EntryID) -> Bool = { _ in true }
    ) {
        self.segments = segments
        self.first = first
        self.query = query
        self.count = count
        self.admits = admits
    }

    /// Returns the nearest entries, nearest first.
    func run() -> [Candidate] {
        guard count > 0 else { return [] }
        var blocks: [Block] = []
        for (position, segment) in segments.enumerated().dropFirst(first) {
            for start in stride(from: 0, to: segment.count, by: Self.blockRows) {
                let end = min(start + Self.blockRows, segment.count)
                blocks.append(Block(segment: position, rows: start..<end))
            }
        }
        // A block takes about 50 µs, so fewer than eight per thread are not worthwhile.
        let workers = min(threadCount, max(1, blocks.count / 8))
        let next = Atomic(0)
        let found = Mutex<[Bounds]>([])
        DispatchQueue.concurrentPerform(iterations: workers) { [blocks] _ in
            var best = BestBounds(count: count)
            withUnsafeTemporaryAllocation(of: vectors_hit.self, capacity: Self.blockRows) { hits in
                while true {
                    let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard index < blocks.count else { break }
                    scan(blocks[index], hits, into: &best)
                }
            }
            found.withLock { $0 += best.kept }
        }
        return exact(BestBounds.survivors(found.withLock { $0 }, count: count))
    }

    private func scan(
        _ block: Block, _ hits: UnsafeMutableBufferPointer<vectors_hit>,
        into best: inout BestBounds
    ) {
        guard let target = hits.baseAddress else { return }
        let segment = segments[block.segment]
        let found = segment.scan(
            block.rows, query, threshold: best.threshold, into: target)
        for hit in hits[..<found] where hit.score + hit.uncertainty >= best.threshold {
            let row = block.rows.lowerBound + Int(hit.row)
            let id = ForwardIndex.EntryID(segment: block.segment, row: row)
            guard !segment.removed.contains(row), admits(id) else { continue }
            best.insert(Bounds(id: id, score: hit.score, uncertainty: hit.uncertainty))
        }
    }

    /// Returns the nearest of some entries by their features in single precision.
    private func exact(_ candidates: [Bounds]) -> [Candidate] {
        let scored = candidates.map { item in
            item.uncertainty == 0
                ? Candidate(id: item.id, similarity: item.score)
                : Candidate(
                    id: item.id,
                    similarity: segments[item.id.segment].product(item.id.row, query.values))
        }
        // A NaN feature is not near to anything.
        return Array(scored.filter { !$0.similarity.isNaN }.sorted().prefix(count))
    }
}

extension IndexSegment {
    /// Compares rows with a query; see the module `CVectors`.
    ///
    /// - Returns: The number of hits written; their rows count from the first of `rows`.
    fileprivate func scan(
        _ rows: Range<Int>, _ query: QuantizedQuery, threshold: Float,
        into hits: UnsafeMutablePointer<vectors_hit>
    ) -> Int {
        let width = features.shape[1]
        let count = Int32(rows.count)
        guard let codes else {
            return withExtendedLifetime(features.storage) {
                let first = features.floats + rows.lowerBound * width
                return Int(
                    vectors_scan_float(
                        first, count, Int32(width), query.values, threshold, hits))
            }
        }
        return withExtendedLifetime((codes.values.storage, codes.scales.storage)) {
            query.codes.withUnsafeBufferPointer { buffer in
                var form = vectors_query(
                    codes: buffer.baseAddress, scale: query.scale, error: query.error,
                    length: query.length)
                let first = codes.values.unsafeBaseAddress.assumingMemoryBound(to: Int8.self)
                return Int(
                    vectors_scan_codes(
                        first + rows.lowerBound * width, codes.scales.floats + rows.lowerBound,
                        codes.errors.floats + rows.lowerBound, count, Int32(width), &form,
                        threshold, hits))
            }
        }
    }

    /// Returns the inner product of a row's feature with a query.
    func product(_ row: Int, _ query: [Float]) -> Float {
        withExtendedLifetime(features.storage) {
            var hit = vectors_hit()
            let width = features.shape[1]
            _ = vectors_scan_float(
                features.floats + row * width, 1, Int32(width), query, -.infinity, &hit)
            return hit.score
        }
    }
}

extension StoredTensor {
    fileprivate var floats: UnsafePointer<Float> {
        unsafeBaseAddress.assumingMemoryBound(to: Float.self)
    }
}
