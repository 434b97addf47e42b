import CVectors
import Dispatch
import Foundation
import Storage
import SystemPackage
import Torch
import WeightFiles

/// A graph of features that finds approximately nearest neighbours without reading all features
/// (HNSW).
///
/// The graph holds the features in memory. Its candidates are always compared exactly, so a cosine
/// is never an estimate; only the choice of candidates is approximate.
final class RecallGraph: Sendable {
    // Set once in `init`; the library permits concurrent searches.
    nonisolated(unsafe) private let handle: OpaquePointer

    /// The parameters of the search effort.
    enum Effort {
        /// The number of neighbours of a vector (M).
        static let links: Int32 = 16
        /// The number of candidates when a vector is added (efConstruction).
        static let building: Int32 = 120
        /// The number of candidates in a search (ef); never fewer than the requested count.
        static let searching: Int32 = 320
    }

    /// Reads a graph and checks all of it.
    ///
    /// - Parameters:
    ///   - file: A file that ``write(_:)`` produced.
    ///   - width: The length of a feature.
    ///   - count: The number of vectors that it must contain, with the labels `0 ..< count`.
    /// - Throws: ``IndexError`` if the file is not such a graph.
    init(_ file: MappedFile, width: Int, count: Int) throws {
        var message: UnsafeMutablePointer<CChar>?
        let handle = file.withUnsafeBytes { bytes in
            hnsw_read(
                bytes.baseAddress, Int64(bytes.count), Int32(width), Int64(count),
                Effort.searching, &message)
        }
        guard let handle else { throw IndexError.badGraph(file.path, Self.text(message)) }
        self.handle = handle
    }

    /// Builds a graph of features on all threads.
    ///
    /// - Parameters:
    ///   - parts: Features `[N, E]`, contiguous and in single precision, labelled in order.
    ///   - width: The length of a feature.
    ///   - path: The path that errors name.
    ///   - onProgress: Called with the number of vectors added and the total; it may throw to stop.
    /// - Throws: ``IndexError`` if the library fails; the errors of `onProgress`.
    /// - Complexity: O(n log n) for n vectors.
    init(
        of parts: [StoredTensor], width: Int, named path: FilePath,
        onProgress: (Int, Int) throws -> Void
    ) throws {
        let total = parts.reduce(0) { $0 + $1.shape[0] }
        var message: UnsafeMutablePointer<CChar>?
        guard
            let handle = hnsw_make(
                Int32(width), Int64(max(total, 1)), Effort.links, Effort.building, &message)
        else { throw IndexError.graph(path, "create it", Self.text(message)) }
        self.handle = handle
        var done = 0
        for part in parts {
            try add(part, first: done, width: width, named: path) { added in
                try onProgress(done + added, total)
            }
            done += part.shape[0]
        }
        try onProgress(done, total)
    }

    deinit { hnsw_free(handle) }

    private func add(
        _ part: StoredTensor, first: Int, width: Int, named path: FilePath,
        onProgress: (Int) throws -> Void
    ) throws {
        let failure = FirstError()
        nonisolated(unsafe) let rows = part.unsafeBaseAddress.assumingMemoryBound(to: Float.self)
        // Add a limited number at a time, so that progress is reported and cancellation takes
        // effect.
        let (threads, count) = (threadCount, part.shape[0])
        for start in stride(from: 0, to: count, by: 1024 * threads) {
            try onProgress(start)
            let end = min(start + 1024 * threads, count)
            let each = (end - start + threads - 1) / threads
            withExtendedLifetime((self, part.storage)) {
                DispatchQueue.concurrentPerform(iterations: threads) { thread in
                    let low = min(start + thread * each, end)
                    let high = min(low + each, end)
                    var message: UnsafeMutablePointer<CChar>?
                    let added = hnsw_add(
                        handle, rows + low * width, Int64(high - low), Int64(first + low),
                        &message)
                    if added == 0 {
                        failure.keep(IndexError.graph(path, "add to it", Self.text(message)))
                    }
                }
            }
            try failure.throwIfAny()
        }
    }

    /// Returns the labels of the approximately nearest vectors, in no particular order.
    ///
    /// - Throws: ``IndexError`` if the library fails.
    func search(_ query: [Float], count: Int) throws -> [Int] {
        try withExtendedLifetime(self) {
            var message: UnsafeMutablePointer<CChar>?
            return try [Int64](unsafeUninitializedCapacity: count) { buffer, found in
                let number = hnsw_search(handle, query, Int64(count), buffer.baseAddress, &message)
                found = max(0, Int(number))
                if number < 0 {
                    throw IndexError.graph(
                        FilePath("the graph"), "search it", Self.text(message))
                }
            }.map { Int($0) }
        }
    }

    /// The number of bytes that ``write(_:)`` produces.
    var byteCount: Int { withExtendedLifetime(self) { Int(hnsw_size(handle)) } }

    /// Passes the bytes of the graph's file to a closure, part by part.
    ///
    /// - Throws: The errors of `sink`; ``IndexError`` if the library fails.
    func write(_ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        try withoutActuallyEscaping(sink) { sink in
            let receiver = Receiver(sink)
            var message: UnsafeMutablePointer<CChar>?
            let written = withExtendedLifetime((self, receiver)) {
                hnsw_write(
                    handle,
                    { context, bytes, count in
                        guard let context else { return 0 }
                        let receiver = Unmanaged<Receiver>.fromOpaque(context)
                            .takeUnretainedValue()
                        return receiver.take(UnsafeRawBufferPointer(start: bytes, count: count))
                            ? 1 : 0
                    }, Unmanaged.passUnretained(receiver).toOpaque(), &message)
            }
            if let error = receiver.error { throw error }
            guard written != 0 else {
                throw IndexError.graph(
                    FilePath("the graph"), "write it", Self.text(message))
            }
        }
    }

    /// Receives the bytes from the library, and keeps an error that the closure throws.
    private final class Receiver {
        private let sink: (UnsafeRawBufferPointer) throws -> Void
        private(set) var error: (any Error)?

        init(_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.sink = sink }

        func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
            do {
                try sink(bytes)
                return true
            } catch {
                self.error = error
                return false
            }
        }
    }

    /// Copies and frees the library's message.
    private static func text(_ message: UnsafeMutablePointer<CChar>?) -> String {
        defer { free(message) }
        return message.map { String(cString: $0) } ?? "unknown failure"
    }
}
