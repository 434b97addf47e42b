import WeightFiles
import Storage
import CVectors
import Dispatch
import Foundation
import SystemPackage
import Torch

/// A graph of features that leads to about the nearest ones without reading all (HNSW).
///
/// Holds the features in memory. What it finds is always compared exactly, so that a cosine is never
/// an estimate; only which images are compared is.
final class RecallGraph: Sendable {
    // Set once, in `init`; the library allows any number of searches at a time.
    nonisolated(unsafe) private let handle: OpaquePointer

    /// How much is looked at.
    enum Effort {
        /// Neighbours of a vector (M).
        static let links: Int32 = 16
        /// Candidates when one is added (efConstruction).
        static let building: Int32 = 120
        /// Candidates of a search (ef); never fewer than the requested count.
        static let searching: Int32 = 320
    }

    /// Reads a graph, checking all of it.
    ///
    /// - Parameters:
    ///   - file: what ``write(_:)`` gave.
    ///   - count: how many vectors it has to hold, labelled `0 ..< count`.
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

    /// Makes a graph of features, on all threads.
    ///
    /// - Parameters:
    ///   - parts: features `[N, E]`, contiguous single precision, labelled in their order.
    ///   - path: what errors name.
    ///   - onProgress: called with the vectors added and in all; throws to stop.
    /// - Throws: ``IndexError`` if the library fails; what `onProgress` throws.
    init(
        of parts: [StoredTensor], width: Int, named path: FilePath,
        onProgress: (Int, Int) throws -> Void
    ) throws {
        let total = parts.reduce(0) { $0 + $1.shape[0] }
        var message: UnsafeMutablePointer<CChar>?
        guard
            let handle = hnsw_make(
                Int32(width), Int64(max(total, 1)), Effort.links, Effort.building, &message)
        else { throw IndexError.graph(path, "make it", Self.text(message)) }
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
        // Some at a time, so that progress is shown and a cancellation takes effect.
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

    /// Labels of about the nearest vectors, in no order.
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

    /// Length of what ``write(_:)`` gives.
    var byteCount: Int { withExtendedLifetime(self) { Int(hnsw_size(handle)) } }

    /// Gives the bytes of the graph's file, one part after another.
    ///
    /// - Throws: what `sink` throws; ``IndexError`` if the library fails.
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

    /// Takes the bytes that the library hands over, and keeps what taking them threw.
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

    /// The library's message, which is ours to free.
    private static func text(_ message: UnsafeMutablePointer<CChar>?) -> String {
        defer { free(message) }
        return message.map { String(cString: $0) } ?? "unknown failure"
    }
}
