import Foundation
import Retrieval
import Storage
import SystemPackage
import Testing
import WeightFiles

/// The files of an index, to be damaged.
struct IndexFiles {
    let index: FilePath

    init(_ index: FilePath) { self.index = index }

    var manifest: URL { URL(filePath: index.appending("manifest.json").string) }

    /// The files of segments or graphs, in the order of their commits.
    func segments(_ suffix: String = ".safetensors") throws -> [URL] {
        let folder = index.appending("segments")
        return try FileManager.default.contentsOfDirectory(atPath: folder.string)
            .filter { $0.hasSuffix(suffix) }.sorted()
            .map { URL(filePath: folder.appending($0).string) }
    }

    func graph() throws -> URL { try #require(try segments(".hnsw").first) }

    /// Changes a file in place of another, so that what has it open keeps the old one.
    func change(_ file: URL, _ body: (inout Data) throws -> Void) throws {
        var bytes = try Data(contentsOf: file)
        try body(&bytes)
        try bytes.write(to: file, options: .atomic)
    }

    /// Changes the graph, and has the manifest name what it is then.
    func forgeGraph(_ body: (inout Data) throws -> Void) throws {
        let file = try graph()
        try change(file, body)
        let bytes = try Data(contentsOf: file)
        var document = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: manifest)) as? [String: Any])
        var graph = try #require(document["recall_graph"] as? [String: Any])
        graph["byte_count"] = bytes.count
        graph["sha256"] = ContentDigest(of: Array(bytes)).hexadecimal
        document["recall_graph"] = graph
        try JSONSerialization.data(withJSONObject: document).write(to: manifest, options: .atomic)
    }

    /// Makes the entry of a path unreadable.
    func damageEntry(_ path: FilePath) throws {
        for file in try segments() {
            try change(file) { bytes in
                guard let place = bytes.range(of: Data("\"path\":\"\(path)\"".utf8)) else { return }
                bytes[place.lowerBound + 1] = UInt8(ascii: "X")
            }
        }
    }

    /// Rewrites segments without their keys and columns, as earlier versions wrote them.
    func removeTables(where isOld: (Int) -> Bool = { _ in true }) throws {
        var document = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: manifest)) as? [String: Any])
        var segments = try #require(document["segments"] as? [[String: Any]])
        let tables: Set = ["keys", "key_rows", "columns", "column_table"]
        for position in segments.indices where isOld(position) {
            let name = try #require(segments[position]["name"] as? String)
            let path = index.appending("segments").appending("\(name).safetensors")
            let file = try SafetensorsFile(path)
            #expect(tables.isSubset(of: file.tensors.map(\.name)))
            try SafetensorsWriter.write(
                file.tensors.filter { !tables.contains($0.name) }.map {
                    .init(name: $0.name, tensor: $0.tensor)
                }, to: path)
            let bytes = try Data(contentsOf: URL(filePath: path.string))
            segments[position]["byte_count"] = bytes.count
            segments[position]["sha256"] = ContentDigest(of: bytes).hexadecimal
        }
        document["segments"] = segments
        try JSONSerialization.data(withJSONObject: document).write(to: manifest, options: .atomic)
    }
}
