import Foundation
import Storage
public import SystemPackage

/// Metadata of images, from a file with one JSON object per line.
///
///     {"image": "beach/017.jpg", "year": 2021, "place": "Kamakura", "tags": ["sea", "family"]}
///
/// Every key except `image` becomes metadata. Relative paths start at the file's folder.
public struct MetadataFile: Sendable {
    /// The metadata of each image, by its absolute path.
    public let images: [FilePath: [String: MetadataValue]]

    /// Reads a file.
    ///
    /// - Throws: ``MetadataError`` that names the file, the line and the problem.
    public init(_ file: FilePath) throws(MetadataError) {
        let folder = file.absolute.removingLastComponent()
        var images: [FilePath: [String: MetadataValue]] = [:]
        for line in try MetadataLine.lines(of: file)
        where !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            var values = try line.object()
            guard case .text(let image)? = values.removeValue(forKey: "image") else {
                throw line.fault("'image', the image's path, is missing")
            }
            let path = folder.pushing(FilePath(image)).lexicallyNormalized()
            guard images.updateValue(values, forKey: path) == nil else {
                throw line.fault("'\(image)' appears on an earlier line; give one line per image")
            }
        }
        self.images = images
    }
}

/// A line of a file, which may contain a JSON object.
struct MetadataLine {
    private let file: FilePath
    /// The number of the line, from 1.
    let number: Int
    /// The bytes of the line, without its newline.
    let bytes: ArraySlice<UInt8>

    /// Returns every line of a file, without the byte order mark that some editors write.
    ///
    /// - Throws: ``MetadataError`` if the file cannot be read.
    static func lines(of file: FilePath) throws(MetadataError) -> [MetadataLine] {
        var bytes: ArraySlice<UInt8>
        do {
            bytes = try file.contents()[...]
        } catch {
            throw MetadataError(description: "\(file): cannot be read: \(error)")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated().map { MetadataLine(file: file, number: $0 + 1, bytes: $1) }
    }

    /// Parses the line as an object.
    ///
    /// - Throws: ``MetadataError`` if the line is something else, or has values that metadata
    ///   cannot have.
    func object() throws(MetadataError) -> [String: MetadataValue] {
        do {
            return try JSONDecoder().decode([String: MetadataValue].self, from: Data(bytes))
        } catch {
            throw fault(DecodingError.reason(of: error))
        }
    }

    /// Returns an error that names the line.
    func fault(_ reason: String) -> MetadataError {
        MetadataError(description: "\(file):\(number): \(reason)")
    }
}

/// An error in a file of metadata.
public struct MetadataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problem and its place, in one line.
    public let description: String
}
