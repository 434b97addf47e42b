import ALBEF
import Downloads
import Foundation
import SystemPackage

/// A folder for downloads that is removed at the end of its test.
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

    /// Returns pseudo-random bytes, which are equal for equal seeds.
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
    /// A downloader with the default settings, but without long pauses between attempts.
    static let impatient = Downloader(
        attempts: 3, firstDelay: .milliseconds(10), idleTimeout: .seconds(60))
}
