import ImageText
import SystemPackage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

enum ImageFixtures {
    /// The root of the repository, four folders above this file.
    static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent().removingLastComponent()

    static let folder = repository.appending("Tests/Fixtures/images")

    static func path(_ name: String) -> FilePath { folder.appending(name) }

    static func bytes(_ name: String) throws -> [UInt8] { try bytes(at: path(name)) }

    static func bytes(at path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            var all: [UInt8] = []
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
            defer { chunk.deallocate() }
            while case let count = try file.read(into: chunk), count > 0 {
                all += chunk[..<count]
            }
            return all
        }
    }

    /// Runs `body` with a new temporary folder, and then deletes the folder.
    static func withFolder<Result>(_ body: (FilePath) throws -> Result) throws -> Result {
        var template = Array("/tmp/image-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let folder = FilePath(platformString: template)
        defer {
            for name in entries(folder) {
                folder.appending(name).withPlatformString { _ = unlink($0) }
            }
            folder.withPlatformString { _ = rmdir($0) }
        }
        return try body(folder)
    }

    static func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(bytes) }
    }

    /// Returns the names in a folder except hidden ones, in no particular order.
    static func entries(_ folder: FilePath) -> [FilePath.Component] {
        guard let directory = folder.withPlatformString({ opendir($0) }) else { return [] }
        defer { closedir(directory) }
        var names: [FilePath.Component] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    FilePath.Component(platformString: $0)
                }
            }
            if let name, !name.string.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}

extension RGBImage {
    /// The colour at a point, red, green, blue.
    func colour(_ x: Int, _ y: Int) -> [Int] {
        (0..<3).map { Int(pixels[(y * width + x) * 3 + $0]) }
    }
}

/// The colours of the four quarters of every fixture, which has 32 x 16 pixels.
enum Quarters {
    static let colours = [[200, 30, 30], [30, 160, 30], [30, 30, 220], [255, 255, 255]]
    static let greys = [81, 106, 52, 255].map { [$0, $0, $0] }

    /// Returns the largest difference of the image's quarters from `expected`, in steps of 1/255.
    static func distance(_ image: RGBImage, from expected: [[Int]] = colours) -> Int {
        let points = [(7, 3), (24, 3), (7, 12), (24, 12)]
        return zip(points, expected).flatMap { point, colour in
            zip(image.colour(point.0, point.1), colour).map { abs($0 - $1) }
        }.max() ?? 255
    }
}
