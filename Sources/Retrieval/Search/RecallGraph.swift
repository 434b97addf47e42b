import CVectors
import Dispatch
import Foundation
import Synchronization
import SystemPackage
import Torch

/// A graph of features that leads to about the nearest ones without reading all (HNSW).
///
/// Holds the features in memory. What it finds is always compared exactly, so that a cosine is never
/// an estimate; only which pictures are compared is.
final class RecallGraph: Sendable {
    // Set once, in `init`; the library allows any number of searches at a time.
    nonisolated(unsafe) private let handle: OpaquePointer
    private let width: Int

    /// How much is looked at.
    enum Effort {
        /// Neighbours of a vector (M).
        static let links: Int32 = 16
        /// Candidates when one is added (efConstruction).
        static let building: Int32 = 120
        /// Candidates of a search (ef), and at least so many as are asked for.
        static let searching: Int32 = 320
    }

    /// Reads a graph.
    ///
    /// - Throws: ``IndexError`` if the file is not one.
    init(_ path: FilePath, width: Int) throws {
        self.width = width
        handle = try Self.checked(path, "read it") {
            hnsw_open(path.string, Int32(width), Effort.searching, &$0)
        }
    }

    deinit { hnsw_free(handle) }

    /// Labels of about the nearest vectors.
    ///
    /// - Throws: ``IndexError`` if the library fails.
    func search(_ query: [Float], count: Int) throws -> [Int] {
        try withExtendedLifetime(self) {
            var message: UnsafeMutablePointer<CChar>?
            return try [Int64](unsafeUninitializedCapacity: count) { buffer, found in
                let number = hnsw_search(handle, query, Int64(count), buffer.baseAddress, &message)
                found = max(0, Int(number))
                if number < 0 { throw Self.error(FilePath("the graph"), "search it", message) }
            }.map { Int($0) }
        }
    }

    /// Makes a graph of features and writes it, on all threads.
    ///
    /// - Parameters:
    ///   - parts: features `[N, E]`, contiguous single precision, labelled in their order.
    ///   - onProgress: called with the vectors added and in all; throws to stop.
    /// - Throws: ``IndexError`` if the library or the file system fails; what `onProgress` throws.
    static func write(
        _ parts: [StoredTensor], width: Int, to path: FilePath,
        onProgress: (Int, Int) throws -> Void
    ) throws {
        let total = parts.reduce(0) { $0 + $1.shape[0] }
        nonisolated(unsafe) let graph = try checked(path, "make it") {
            hnsw_make(Int32(width), Int64(max(total, 1)), Effort.links, Effort.building, &$0)
        }
        defer { hnsw_free(graph) }
        let failure = FirstError()
        var done = 0
        for part in parts {
            let first = done
            nonisolated(unsafe) let rows = part.unsafeBaseAddress.assumingMemoryBound(
                to: Float.self)
            // Some at a time, so that progress is seen and a cancellation heard.
            let (step, count) = (1024 * threadCount, part.shape[0])
            for start in stride(from: 0, to: count, by: step) {
                try onProgress(done, total)
                let end = min(start + step, count)
                let each = (end - start + threadCount - 1) / threadCount
                withExtendedLifetime(part.storage) {
                    DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
                        let low = min(start + thread * each, end)
                        let high = min(low + each, end)
                        var message: UnsafeMutablePointer<CChar>?
                        let added = hnsw_add(
                            graph, rows + low * width, Int64(high - low), Int64(first + low),
                            &message)
                        if added == 0 { failure.keep(error(path, "add to it", message)) }
                    }
                }
                try failure.throwIfAny()
                done = first + end
            }
        }
        try onProgress(done, total)
        _ = try checked(path, "write it") { message in
            hnsw_write(graph, path.string, &message) == 0 ? nil : graph
        }
    }

    private static func checked(
        _ path: FilePath, _ operation: String,
        _ body: (inout UnsafeMutablePointer<CChar>?) -> OpaquePointer?
    ) throws -> OpaquePointer {
        var message: UnsafeMutablePointer<CChar>?
        guard let handle = body(&message) else { throw error(path, operation, message) }
        return handle
    }

    private static func error(
        _ path: FilePath, _ operation: String, _ message: UnsafeMutablePointer<CChar>?
    ) -> IndexError {
        defer { free(message) }
        return .graph(path, operation, message.map { String(cString: $0) } ?? "unknown failure")
    }
}

/// The graph of an index, read when it is first searched.
final class LazyGraph: Sendable {
    let record: IndexManifest.Graph
    private let path: FilePath
    private let width: Int
    private let loaded = Mutex<RecallGraph?>(nil)

    init(_ record: IndexManifest.Graph, directory: FilePath, width: Int) {
        self.record = record
        path = Self.path(record, in: directory)
        self.width = width
    }

    static func path(_ record: IndexManifest.Graph, in directory: FilePath) -> FilePath {
        directory.appending("segments").appending("\(record.name).hnsw")
    }

    func callAsFunction() throws -> RecallGraph {
        try loaded.withLock { graph in
            if let graph { return graph }
            let read = try RecallGraph(path, width: width)
            graph = read
            return read
        }
    }
}
