import Storage
import Foundation
public import SystemPackage

/// What is known of images besides their files, one JSON object per line.
///
///     {"image": "beach/017.jpg", "year": 2021, "place": "Kamakura", "tags": ["sea", "family"]}
///
/// Every name but `image` becomes metadata. Relative paths start at the file's folder.
public struct MetadataFile: Sendable {
    /// Metadata by the images' absolute paths.
    public let images: [FilePath: [String: MetadataValue]]

    /// Reads a file.
    ///
    /// - Throws: ``MetadataError`` that names the file, the line and what is wrong with it.
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
                throw line.fault("'\(image)' has a line already")
            }
        }
        self.images = images
    }
}

/// A line of a file, which may be a JSON object.
struct MetadataLine {
    private let file: FilePath
    /// The number of the line, from 1.
    let number: Int
    /// What it says.
    let bytes: ArraySlice<UInt8>

    /// Every line of a file, without the byte order mark that some editors put at the beginning.
    ///
    /// - Throws: ``MetadataError`` if the file cannot be read.
    static func lines(of file: FilePath) throws(MetadataError) -> [MetadataLine] {
        var bytes: ArraySlice<UInt8>
        do {
            bytes = try file.contents()[...]
        } catch {
            throw MetadataError(description: "\(file): cannot read it: \(error)")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated().map { MetadataLine(file: file, number: $0 + 1, bytes: $1) }
    }

    /// The object that the line is.
    ///
    /// - Throws: ``MetadataError`` if it is something else, or has values that metadata cannot have.
    func object() throws(MetadataError) -> [String: MetadataValue] {
        do {
            return try JSONDecoder().decode([String: MetadataValue].self, from: Data(bytes))
        } catch {
            throw fault((error as? DecodingError)?.reason ?? "\(error)")
        }
    }

    /// Something that is wrong with the line.
    func fault(_ reason: String) -> MetadataError {
        MetadataError(description: "\(file):\(number): \(reason)")
    }
}

/// A file of metadata that cannot be read.
public struct MetadataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and where, in one line.
    public let description: String
}
