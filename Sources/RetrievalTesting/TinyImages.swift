import Foundation
public import SystemPackage

/// Small images that are computed: the same number gives the same image everywhere.
public enum TinyImages {
    /// The bytes of a square image in 24-bit BMP.
    ///
    ///     let upload = TinyImages.bitmap(7)
    ///
    /// - Parameters:
    ///   - seed: chooses the colours; seeds that differ by a multiple of 256 give equal images.
    ///   - side: width and height in pixels, more than 0; default 8.
    public static func bitmap(_ seed: Int, side: Int = 8) -> [UInt8] {
        precondition(side > 0, "an image of \(side) × \(side) pixels: the side must be positive")
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        // Rows are padded to a multiple of four bytes.
        let row = (side * 3 + 3) / 4 * 4
        let pixels = (0..<(row * side)).map {
            UInt8(truncatingIfNeeded: $0 &* 7 &+ seed &* 31)
        }
        return [0x42, 0x4D] + little(54 + pixels.count, 4) + little(0, 4) + little(54, 4)
            + little(40, 4) + little(side, 4) + little(side, 4) + little(1, 2) + little(24, 2)
            + little(0, 4) + little(pixels.count, 4) + little(2835, 4) + little(2835, 4)
            + little(0, 8) + pixels
    }

    /// Writes images of 8 × 8 pixels as `000.bmp`, `001.bmp` and so on.
    ///
    ///     let paths = try TinyImages.write(6, to: folder.appending("images"))
    ///
    /// - Parameters:
    ///   - count: how many; the first 256 differ from each other.
    ///   - folder: where they are put; created if it does not exist.
    /// - Returns: their paths, in the order of their numbers.
    /// - Throws: an error of the file system.
    @discardableResult
    public static func write(_ count: Int, to folder: FilePath) throws -> [FilePath] {
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        return try (0..<count).map { number in
            let path = folder.appending(String(format: "%03d.bmp", number))
            try Data(bitmap(number)).write(to: URL(filePath: path.string))
            return path
        }
    }
}
