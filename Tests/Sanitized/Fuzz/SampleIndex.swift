import Foundation
import ImageText
import Retrieval
import SystemPackage
import Torch

/// A small valid index, in which a parser's input replaces one file.
struct SampleIndex {
    static let count = 5

    let directory = Scratch.folder.appending("index")
    let segment: FilePath
    let segmentBytes: Int
    let manifest: String

    init() throws {
        try? FileManager.default.removeItem(atPath: directory.string)
        let signature = ModelSignature(
            fingerprint: String(repeating: "ab", count: 32), imageSize: 16, embeddingWidth: 4,
            tokenCount: 3, tokenWidth: 2)
        let entries = (0..<Self.count).map { number -> IndexEntry in
            var facts = ImageFacts()
            if number > 0 { facts.date = "202\(number)-06-14T12:34:56" }
            (facts.width, facts.height, facts.camera) = (16, 9 + number * 4, "Lens \(number % 2)")
            return IndexEntry(
                path: FilePath("/images/\(number % 2)/\(number).jpg"), size: 100 + number,
                modified: 1, sha256: String(repeating: "0\(number)", count: 32), about: facts,
                metadata: [
                    "year": .number(Double(2018 + number)), "place": .text("Kyoto"),
                    "tags": .list(["red", "\(number)"]), "seen": .flag(number > 2),
                ])
        }
        let features = Tensor(shape: [Self.count, 4]) { elements in
            for index in elements.indices {
                elements[index] = Float(index % 4 == index / 4 % 4 ? 1 : 0)
            }
        }
        let tokens = Tensor(shape: [Self.count, 3, 2]) { elements in
            for index in elements.indices { elements[index] = Float(index) / 8 }
        }
        try ForwardIndex.append(
            entries, features: features, tokens: tokens, to: directory, model: signature)
        try ForwardIndex.makeGraph(directory)
        let segments = directory.appending("segments")
        let names = try FileManager.default.contentsOfDirectory(atPath: segments.string)
        guard let name = names.first(where: { $0.hasSuffix(".safetensors") }) else {
            throw Errno.noSuchFileOrDirectory
        }
        segment = segments.appending(name)
        segmentBytes = try Data(contentsOf: URL(fileURLWithPath: segment.string)).count
        manifest = try String(
            contentsOf: URL(fileURLWithPath: directory.appending("manifest.json").string),
            encoding: .utf8)
    }

    /// Writes every file to the folder of the parser that reads it.
    func write(to folder: FilePath) throws {
        for name in try FileManager.default.contentsOfDirectory(
            atPath: directory.appending("segments").string)
        {
            let parser = name.hasSuffix(".hnsw") ? "graph" : "segment"
            try copy(FilePath("segments/\(name)"), to: folder.appending(parser), parser)
        }
        let moved = manifest.split(separator: "\n").map { line in
            line.contains("\"directory\"") ? "      \"directory\" : \"/images/index\"," : line
        }
        let place = folder.appending("manifest")
        try makeFolder(place)
        try Data(moved.joined(separator: "\n").utf8).write(
            to: URL(fileURLWithPath: place.appending("manifest.json").string))
    }

    private func copy(_ name: FilePath, to folder: FilePath, _ copy: String) throws {
        try makeFolder(folder)
        let content = FileManager.default.contents(atPath: directory.pushing(name).string)
        try content?.write(to: URL(fileURLWithPath: folder.appending(copy).string))
    }

    private func makeFolder(_ path: FilePath) throws {
        try FileManager.default.createDirectory(
            atPath: path.string, withIntermediateDirectories: true)
    }
}
