import Downloads
import ALBEF
import Foundation
import SystemPackage

/// A folder that is removed with the test that made it, and what a download finds in it.
final class DownloadFolder: Sendable {
    let url = FileManager.default.temporaryDirectory.appending(path: "albef-\(UUID().uuidString)")
    var file: FilePath { path("model.pth") }

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String) -> FilePath { FilePath(url.appending(path: name).path) }

    func data(_ name: String = "model.pth") throws -> Data {
        try Data(contentsOf: url.appending(path: name))
    }

    func write(_ data: Data, as name: String = "model.pth") throws {
        try data.write(to: url.appending(path: name))
    }

    /// The names of everything in the folder, sorted.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    /// Bytes without a pattern, the same for the same seed.
    static func bytes(_ count: Int, seed: UInt64 = 1) -> Data {
        var state = seed
        var data = Data(capacity: count + 8)
        while data.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            withUnsafeBytes(of: state ^ state >> 29) { data.append(contentsOf: $0) }
        }
        return data.prefix(count)
    }
}

extension Downloader {
    /// As the default, without its patience between attempts.
    static let impatient = Downloader(
        attempts: 3, firstDelay: .milliseconds(10), idleTimeout: .seconds(60))
}
