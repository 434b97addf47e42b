import CVectors
import Foundation
import Testing

/// Returns vectors of pseudorandom numbers; equal seeds give equal vectors.
private func vectors(_ count: Int, width: Int, seed: UInt64 = 1) -> [Float] {
    var state = seed
    return (0..<count * width).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 33)) / Float(Int32.max)
    }
}

@Suite("Scans")
struct ScanTests {
    @Test("Reads rows of any width to their ends, and not beyond", arguments: 1...70)
    func widths(width: Int) {
        let count = 9
        let rows = vectors(count, width: width)
        let query = vectors(1, width: width, seed: 2)
        var hits = [vectors_hit](repeating: vectors_hit(), count: count)
        let found = vectors_scan_float(
            rows, Int32(count), Int32(width), query, -.infinity, &hits)
        #expect(found == Int32(count))
        for hit in hits {
            let row = Array(rows[Int(hit.row) * width..<(Int(hit.row) + 1) * width])
            #expect(hit.score == vectors_product(row, query, Int32(width)))
        }
    }

    @Test("Reads 8-bit rows of any width to their ends, and not beyond", arguments: 1...70)
    func codes(width: Int) {
        let count = 9
        let rows = (0..<count * width).map { Int8($0 % 255 - 127) }
        let codes = (0..<width).map { Int8($0 % 127) }
        let numbers = [Float](repeating: 0.01, count: count)
        var hits = [vectors_hit](repeating: vectors_hit(), count: count)
        let found = codes.withUnsafeBufferPointer { codes in
            var query = vectors_query()
            query.codes = codes.baseAddress
            query.scale = 0.01
            return vectors_scan_codes(
                rows, numbers, numbers, Int32(count), Int32(width), &query, -.infinity, &hits)
        }
        #expect(found == Int32(count))
    }
}

@Suite("Graphs from bytes")
struct GraphBytesTests {
    private let count = 40
    private let width = 8

    private func message(_ text: inout UnsafeMutablePointer<CChar>?) -> String? {
        defer {
            free(text)
            text = nil
        }
        return text.map { String(cString: $0) }
    }

    private func written() throws -> [UInt8] {
        var text: UnsafeMutablePointer<CChar>?
        let made = hnsw_make(Int32(width), Int64(count), 4, 20, &text)
        let graph = try #require(made, "\(message(&text) ?? "")")
        defer { hnsw_free(graph) }
        #expect(hnsw_add(graph, vectors(count, width: width), Int64(count), 0, &text) == 1)
        var bytes = Data()
        let isWritten = withUnsafeMutablePointer(to: &bytes) { bytes in
            hnsw_write(
                graph,
                { context, start, count in
                    guard let context, let start else { return 0 }
                    context.assumingMemoryBound(to: Data.self).pointee.append(
                        start.assumingMemoryBound(to: UInt8.self), count: count)
                    return 1
                }, bytes, &text)
        }
        #expect(isWritten == 1 && Int64(bytes.count) == hnsw_size(graph))
        return Array(bytes)
    }

    /// Reads a graph from bytes and searches it; returns false if the bytes are refused.
    private func isReadable(_ bytes: [UInt8]) -> Bool {
        var text: UnsafeMutablePointer<CChar>?
        guard
            let graph = hnsw_read(
                bytes, Int64(bytes.count), Int32(width), Int64(count), 20, &text)
        else {
            #expect(message(&text)?.isEmpty == false)
            return false
        }
        defer { hnsw_free(graph) }
        var labels = [Int64](repeating: -1, count: 10)
        for seed in 2..<5 as Range<UInt64> {
            let found = hnsw_search(graph, vectors(1, width: width, seed: seed), 10, &labels, &text)
            #expect(
                labels.prefix(max(0, Int(found))).allSatisfy { (0..<Int64(count)).contains($0) })
        }
        _ = message(&text)
        return true
    }

    @Test("Reads a graph that was written")
    func whole() throws { #expect(isReadable(try written())) }

    @Test("Refuses a truncated graph")
    func cut() throws {
        let bytes = try written()
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(!isReadable(Array(bytes[..<length])))
        }
    }

    @Test("Refuses a graph with a damaged byte, or searches it within bounds")
    func damaged() throws {
        let bytes = try written()
        // Every byte of the header, and some of the links and vectors.
        for place in bytes.indices where place < 128 || place % 7 == 0 {
            for value in [0, 255, bytes[place] ^ 128] where value != bytes[place] {
                var damaged = bytes
                damaged[place] = value
                _ = isReadable(damaged)
            }
        }
    }
}
