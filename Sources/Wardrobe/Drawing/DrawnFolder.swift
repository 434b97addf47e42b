internal import Foundation
import ImageText
internal import SystemPackage

/// A folder of drawn images with files about them, which replaces only what it wrote itself.
struct DrawnFolder: Sendable {
    let path: FilePath
    /// The name of the first file written, which marks a folder as one of this kind.
    let marker: String
    /// The names of the files that are written last, so that their presence means completeness.
    let outputs: [String]
    /// How images are encoded.
    var format = Format.jpeg

    enum Format: String, Sendable {
        case jpeg = "jpg"
        case png = "png"

        func encode(_ image: RGBImage, named name: String) throws(ImageError) -> [UInt8] {
            switch self {
            case .jpeg: try JPEGEncoder.encode(image, quality: 92, named: name)
            case .png: try PNGEncoder.encode(image, named: name)
            }
        }
    }

    private static let images = "images"

    private var folder: URL { URL(filePath: path.string) }

    /// Returns the path of an image inside the folder.
    func name(_ index: Int) -> String {
        let digits = String(index)
        let zeros = String(repeating: "0", count: max(0, 5 - digits.count))
        return "\(Self.images)/\(zeros)\(digits).\(format.rawValue)"
    }

    /// Creates the folder, and removes the outputs of an earlier call.
    ///
    /// - Throws: `DatasetError` if the folder holds other images or files of these names;
    ///   `CocoaError`.
    func prepare() throws {
        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: folder.appending(path: name).path)
        }
        guard exists(marker) || !(outputs + [Self.images]).contains(where: exists) else {
            throw DatasetError.occupied(path)
        }
        try FileManager.default.createDirectory(
            at: folder.appending(path: Self.images), withIntermediateDirectories: true)
        for name in outputs where exists(name) {
            try FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }

    /// Draws images on all cores, and removes those of an earlier call that had more.
    ///
    /// - Parameters:
    ///   - count: The number of images.
    ///   - progress: Called with the number of images done.
    ///   - image: Draws an image.
    /// - Throws: `ImageError` if an image cannot be drawn; `CocoaError` if a file cannot be
    ///   written; `CancellationError`.
    func draw(
        _ count: Int, progress: (Int) -> Void,
        _ image: @escaping @Sendable (Int) throws -> RGBImage
    ) async throws {
        let atOnce = 64
        for start in stride(from: 0, to: count, by: atOnce) {
            let end = min(start + atOnce, count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in start..<end {
                    group.addTask {
                        let name = self.name(index)
                        let bytes = try format.encode(try image(index), named: name)
                        try Data(bytes).write(to: folder.appending(path: name))
                    }
                }
                try await group.waitForAll()
            }
            try Task.checkCancellation()
            progress(end)
        }
        var index = count
        while FileManager.default.fileExists(atPath: folder.appending(path: name(index)).path) {
            try FileManager.default.removeItem(at: folder.appending(path: name(index)))
            index += 1
        }
    }

    /// Writes a value as JSON.
    func write(_ value: some Encodable, to name: String) throws {
        try replace(name, by: Self.encoder.encode(value))
    }

    /// Writes values as JSON, one per line.
    func write(lines values: some Sequence<some Encodable>, to name: String) throws {
        var lines = Data()
        let encoder = Self.encoder
        for value in values {
            lines += try encoder.encode(value)
            lines.append(UInt8(ascii: "\n"))
        }
        try replace(name, by: lines)
    }

    /// Writes records as a JSON list with one record per line, so that people can read it.
    func write(list values: [some Encodable], to name: String) throws {
        let encoder = Self.encoder
        let lines = try values.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        try replace(name, by: Data("[\(lines.joined(separator: ",\n "))]\n".utf8))
    }

    /// Writes texts, one per line.
    func write(texts: some Sequence<String>, to name: String) throws {
        try replace(name, by: Data((texts.joined(separator: "\n") + "\n").utf8))
    }

    private func replace(_ name: String, by data: Data) throws {
        try data.write(to: folder.appending(path: name), options: .atomic)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}
