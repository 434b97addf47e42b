import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport

/// A data set of the smallest size, for samples that read one.
enum TinyCaptions {
    /// Writes images and `captions.json`, with two captions for each.
    @discardableResult
    static func write(_ count: Int, to folder: FilePath) throws -> FilePath {
        try TinyImages.write(count, to: folder.appending("images"))
        let entries: [[String: Any]] = (0..<count).map { index in
            [
                "image": String(format: "images/%03d.bmp", index),
                "caption": ["a red cat \(index)", "two dogs \(index)"],
            ]
        }
        let path = folder.appending("captions.json")
        try JSONSerialization.data(withJSONObject: entries, options: .sortedKeys)
            .write(to: URL(filePath: path.string))
        return path
    }
}
