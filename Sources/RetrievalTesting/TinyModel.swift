package import ALBEF
import Foundation
package import SystemPackage
import Torch

/// A model of the smallest size with random weights, and images to feed it.
package enum TinyModel {
    /// A trunk of the smallest size, with every kind of layer; one place is 8 pixels wide.
    package static let trunk = EfficientNetConfiguration(
        .custom(
            EfficientNetArchitecture(
                stemWidth: 8,
                stages: [
                    .init(kernel: 3, stride: 1, expansion: 1, width: 8, depth: 1),
                    .init(kernel: 5, stride: 2, expansion: 2, width: 16, depth: 2),
                    .init(kernel: 3, stride: 2, expansion: 3, width: 16, depth: 1),
                ], headWidth: 24, activation: .silu, squeezes: true)))

    /// Writes a model of 48 pixels and 200 tokens.
    ///
    /// - Parameter vision: the image encoder; nil for a ViT.
    package static func write(
        to path: FilePath, task: ALBEFConfiguration.Task = .pretraining, seed: UInt64 = 1,
        dialect: Dialect = .albef, vision: ALBEFConfiguration.Vision? = nil
    ) throws {
        let vocabulary = FilePath("\(path.string)-vocab.txt")
        try Data(PackageResources.vocabulary_txt).write(to: URL(filePath: vocabulary.string))
        defer { try? FileManager.default.removeItem(atPath: vocabulary.string) }
        let configuration = ALBEFConfiguration(
            dialect: dialect, task: task,
            vision: vision ?? .init(imageSize: 48, width: 24, depth: 2, heads: 4, mlpWidth: 48),
            text: .init(
                vocabularySize: 200, width: 32, depth: 4, fusionLayer: 2, heads: 4, mlpWidth: 64,
                positions: 40, maximumTokens: 30),
            embeddingWidth: 16)
        try ALBEFModel(untrained: configuration, generator: Generator(seed: seed))
            .write(to: path, vocabulary: vocabulary)
    }

    /// Writes `count` different small images, `000.bmp` and so on, and returns their paths.
    @discardableResult
    package static func writeImages(_ count: Int, to folder: FilePath) throws -> [FilePath] {
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        return try (0..<count).map { index in
            let path = folder.appending(String(format: "%03d.bmp", index))
            try Data(bitmap(index)).write(to: URL(filePath: path.string))
            return path
        }
    }

    /// A square 24-bit BMP, with colours that depend on `seed`; the side is a multiple of 4.
    package static func bitmap(_ seed: Int, side: Int = 8) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let pixels = (0..<(side * side * 3)).map { UInt8(truncatingIfNeeded: $0 * 7 + seed * 31) }
        return [0x42, 0x4D] + little(54 + pixels.count, 4) + little(0, 4) + little(54, 4)
            + little(40, 4) + little(side, 4) + little(side, 4) + little(1, 2) + little(24, 2)
            + little(0, 4) + little(pixels.count, 4) + little(2835, 4) + little(2835, 4)
            + little(0, 8) + pixels
    }
}
