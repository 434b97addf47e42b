import ALBEF
package import Downloads
package import Foundation
import SystemPackage
import Torch

/// A mirror of the catalogue, with tiny models under the names of large ones.
package final class ModelServer: Sendable {
    package typealias Behaviour = FileServer.Behaviour

    package let server: FileServer
    package let catalog: ModelCatalog

    /// Serves some files.
    ///
    /// - Parameters:
    ///   - files: the files by their paths on the mirror; other paths return 404.
    ///   - change: changes the behaviour for request number 0, 1, … for a path.
    package init(
        _ files: [String: Data],
        _ change: @escaping @Sendable (Int, String, inout Behaviour) -> Void = { _, _, _ in }
    ) throws {
        server = try FileServer { attempt, path in
            var behaviour = Behaviour(status: 404, entityTag: nil)
            if let content = files[path] {
                behaviour = Behaviour(content: content, entityTag: "\"\(path)\"")
            }
            change(attempt, path, &behaviour)
            return behaviour
        }
        catalog = ModelCatalog.published.mirrored(at: server.address)
    }

    deinit { server.stop() }

    /// The requested paths, in order.
    package var paths: [String] { server.requests.compactMap { $0[":path"] } }

    package func entry(_ name: String) throws -> ModelCatalog.Entry {
        try catalog.entry(named: name)
    }

    /// Returns the number of requests for a file.
    package func count(_ file: String) -> Int { paths.filter { $0.hasSuffix("/\(file)") }.count }

    package static let chinese = "OFA-Sys/chinese-clip-vit-base-patch16"

    /// A tiny Chinese-CLIP in the published format.
    ///
    /// - Parameter weights: the name of the file of weights.
    package static func chineseCLIP(weights: String = "model.safetensors") throws -> [String: Data]
    {
        let folder = Fixtures.path("towers/hf-chinese-clip")
        func data(_ name: String) throws -> Data {
            try Data(contentsOf: URL(filePath: folder.appending(name).string))
        }
        let rows = try TowerModel(importing: folder).configuration.text.vocabularySize
        return [
            "\(chinese)/config.json": try data("config.json"),
            "\(chinese)/preprocessor_config.json": try data("preprocessor_config.json"),
            "\(chinese)/vocab.txt": vocabulary(rows),
            "\(chinese)/\(weights)": try data("model.safetensors"),
        ]
    }

    /// Returns a vocabulary of BERT's special tokens and others, with `rows` tokens in all.
    package static func vocabulary(_ rows: Int) -> Data {
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        let words = special + (0..<rows).map { "w\($0)" }
        return Data((words.prefix(rows).joined(separator: "\n") + "\n").utf8)
    }

    /// A tiny ALBEF with the vocabulary of the large one.
    package static func albef() async throws -> [String: Data] {
        let configuration = ALBEFConfiguration(
            task: .retrieval,
            vision: .init(imageSize: 32, width: 64, depth: 1, heads: 1, mlpWidth: 64),
            text: .init(width: 64, depth: 2, fusionLayer: 1, heads: 1, mlpWidth: 64, positions: 40),
            embeddingWidth: 16)
        let words = Fixtures.path("vocabularies/bert-base-uncased-vocab.txt")
        return try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("model")
            try ALBEFModel(untrained: configuration, generator: Generator(seed: 1))
                .write(to: path, vocabulary: words)
            return [
                "mscoco.pth": try Data(
                    contentsOf: URL(filePath: path.appending("model.safetensors").string)),
                "bert-base-uncased-vocab.txt": try Data(
                    contentsOf: URL(filePath: words.string)),
            ]
        }
    }
}
