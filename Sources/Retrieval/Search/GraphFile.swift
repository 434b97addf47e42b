import Storage
import Crypto
import Foundation
import Synchronization
import SystemPackage
import Torch

/// The file of a graph.
enum GraphFile {
    /// Where the graph of a name is.
    static func path(_ name: String, in directory: FilePath) -> FilePath {
        directory.appending("segments").appending("\(name).hnsw")
    }

    /// Makes a graph of all rows of segments, writes it, and reads it back.
    ///
    /// - Returns: the line of the manifest.
    /// - Throws: ``IndexError`` if the library fails or what was read back is not what was written;
    ///   an error of the file system; what `onProgress` throws. No file is left then.
    static func write(
        _ segments: [IndexSegment], width: Int, name: String, in directory: FilePath,
        onProgress: (Int, Int) throws -> Void
    ) throws -> IndexManifest.Graph {
        let path = path(name, in: directory)
        let parts = segments.map {
            IndexManifest.Graph.Part(segment: $0.record.name, count: $0.count)
        }
        var digest = SHA256()
        var (written, expected) = (0, 0)
        do {
            let graph = try RecallGraph(
                of: segments.map(\.features), width: width, named: path, onProgress: onProgress)
            expected = graph.byteCount
            let file = try AtomicFile(path)
            try graph.write { bytes in
                digest.update(bufferPointer: bytes)
                written += bytes.count
                try file.write(bytes)
            }
            guard written == expected else {
                throw IndexError.graph(path, "write it", "\(written) of \(expected) bytes came")
            }
            try file.commit()
        }
        let record = IndexManifest.Graph(
            name: name, byteCount: expected, sha256: digest.finalize().hexadecimal, parts: parts)
        do {
            _ = try LazyGraph(record, directory: directory, width: width)()
        } catch {
            try? FileManager.default.removeItem(atPath: path.string)
            throw error
        }
        return record
    }
}

/// The graph of a snapshot: its file is held open from the moment the index is opened, and read when
/// it is first searched.
final class LazyGraph: Sendable {
    private let record: IndexManifest.Graph
    private let width: Int
    private let state: Mutex<State>

    private enum State: Sendable {
        case unread(MappedFile)
        case read(RecallGraph)
        /// It cannot be used; the index can be searched without it.
        case failed(IndexError)
    }

    /// Opens the file of a graph; a file that cannot be opened is reported when it is searched.
    init(_ record: IndexManifest.Graph, directory: FilePath, width: Int) {
        self.record = record
        self.width = width
        state = Mutex(Self.open(record, GraphFile.path(record.name, in: directory)))
    }

    private static func open(_ record: IndexManifest.Graph, _ path: FilePath) -> State {
        do {
            let file = try MappedFile(path)
            guard file.count == record.byteCount else {
                return .failed(
                    .badGraph(path, "it has \(file.count) bytes, not \(record.byteCount)"))
            }
            return .unread(file)
        } catch {
            let reason = (error as? FileError)?.reason ?? "\(error)"
            return .failed(.badGraph(path, reason))
        }
    }

    /// Whether it is the graph that another manifest names too, wherever that says its rows are.
    func isSame(as other: IndexManifest.Graph, width: Int) -> Bool {
        (record.name, record.byteCount, record.sha256, record.labelCount, self.width)
            == (other.name, other.byteCount, other.sha256, other.labelCount, width)
    }

    /// Why the graph cannot be used; nil if it can, or was not looked at yet.
    var fault: IndexError? {
        state.withLock { if case .failed(let error) = $0 { error } else { nil } }
    }

    /// The graph.
    ///
    /// - Throws: ``IndexError`` if it cannot be used.
    func callAsFunction() throws -> RecallGraph {
        try state.withLock { state in
            switch state {
            case .read(let graph): return graph
            case .failed(let error): throw error
            case .unread(let file):
                do {
                    let graph = try read(file)
                    state = .read(graph)
                    return graph
                } catch let error as IndexError {
                    state = .failed(error)
                    throw error
                }
            }
        }
    }

    private func read(_ file: MappedFile) throws -> RecallGraph {
        guard file.sha256 == record.sha256 else {
            throw IndexError.badGraph(file.path, "its bytes are not those that were written")
        }
        return try RecallGraph(file, width: width, count: record.labelCount)
    }
}
