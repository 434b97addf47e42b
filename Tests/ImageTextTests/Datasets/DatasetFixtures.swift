import Foundation
import ImageText
import SystemPackage

enum DatasetFixtures {
    /// Runs `body` with a new folder, and then deletes the folder with its content.
    static func withFolder<Result>(
        _ body: (FilePath) async throws -> Result
    ) async throws -> Result {
        let folder = FilePath(NSTemporaryDirectory()).appending("dataset-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        return try await body(folder)
    }

    /// Writes a text file and creates its folders.
    @discardableResult
    static func write(_ text: String, to path: FilePath) throws -> FilePath {
        try write(Array(text.utf8), to: path)
    }

    @discardableResult
    static func write(_ bytes: [UInt8], to path: FilePath) throws -> FilePath {
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try ImageFixtures.write(bytes, to: path)
        return path
    }

    /// Returns an 8 x 8 bitmap whose colours depend on `seed`.
    static func bitmap(_ seed: Int) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let pixels = (0..<192).map { UInt8(truncatingIfNeeded: $0 * 7 + seed * 31 + seed / 8) }
        return [0x42, 0x4D] + little(54 + pixels.count, 4) + little(0, 4) + little(54, 4)
            + little(40, 4) + little(8, 4) + little(8, 4) + little(1, 2) + little(24, 2)
            + little(0, 4) + little(pixels.count, 4) + little(2835, 4) + little(2835, 4)
            + little(0, 8) + pixels
    }

    /// Returns images `0.bmp` and so on, with two captions each.
    static func images(_ count: Int, in folder: FilePath) throws -> CaptionDataset {
        CaptionDataset(
            images: try (0..<count).map { index in
                let path = folder.appending("\(index).bmp")
                try write(bitmap(index), to: path)
                return CaptionedImage(
                    path: path, captions: ["first of \(index)", "second of \(index)"], id: index)
            })
    }
}
