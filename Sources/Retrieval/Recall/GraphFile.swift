import Foundation
import Storage
import Synchronization
import SystemPackage
import Torch

/// The file of a graph.
enum GraphFile {
    /// Returns the path of a graph with a name.
    static func path(_ name: String, in directory: FilePath) -> FilePath {
        directory.appending("segments").appending("\(name).hnsw")
    }

    /// Builds a graph of all rows in segments, writes it to a file and reads it back.
    ///
    /// - Returns: The record for the manifest.
    /// - Throws: ``IndexError`` if the library fails or the file differs when read back; an error
    ///   of the file system; the errors of `onProgress`. No file remains then.
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
                digest.update(bytes)
                written += bytes.count
                try file.write(bytes)
            }
            guard written == expected else {
                throw IndexError.graph(
                    path, "write it", "only \(written) of \(expected) bytes were written")
            }
            try file.commit()
        }
        let record = IndexManifest.Graph(
            name: name, byteCount: expected, sha256: digest.finished().hexadecimal, parts: parts)
        do {
            _ = try LazyGraph(record, directory: directory, width: width)()
        } catch {
            try? FileManager.default.removeItem(atPath: path.string)
            throw error
        }
        return record
    }
}

/// The graph of a snapshot.
///
/// Its file is opened with the index, and read at the first search.
final class LazyGraph: Sendable {
    private let record: IndexManifest.Graph
    private let width: Int
    private let state: Mutex<State>

    private enum State: Sendable {
        case unread(MappedFile)
        case read(RecallGraph)
        /// The graph cannot be used; the index can be searched without it.
        case failed(IndexError)
    }

    /// Opens the file of a graph; an error is reported at the first search.
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
                    .badGraph(
                        path,
                        "it has \(file.count) bytes, but the manifest says \(record.byteCount)"))
            }
            return .unread(file)
        } catch {
            let reason = (error as? FileError)?.reason ?? "\(error)"
            return .failed(.badGraph(path, reason))
        }
    }

    /// Returns whether another manifest names the same graph, wherever its rows are.
    func isSame(as other: IndexManifest.Graph, width: Int) -> Bool {
        (record.name, record.byteCount, record.sha256, record.labelCount, self.width)
            == (other.name, other.byteCount, other.sha256, other.labelCount, width)
    }

    /// The reason why the graph cannot be used; nil if it can, or has not been read yet.
    var fault: IndexError? {
        state.withLock { if case .failed(let error) = $0 { error } else { nil } }
    }

    /// Returns the graph, which is read on first use.
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
            throw IndexError.badGraph(
                file.path, "its checksum differs from the one in the manifest")
        }
        return try RecallGraph(file, width: width, count: record.labelCount)
    }
}
