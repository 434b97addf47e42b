import Foundation
public import SystemPackage

/// What is known of pictures besides their files, one JSON object a line.
///
///     {"image": "beach/017.jpg", "year": 2021, "place": "Kamakura", "tags": ["sea", "family"]}
///
/// Every name but `image` becomes metadata. Relative paths start at the file's folder.
public struct MetadataFile: Sendable {
    /// Metadata by the pictures' absolute paths.
    public let pictures: [FilePath: [String: MetadataValue]]

    /// Reads a file.
    ///
    /// - Throws: ``MetadataError`` that names the file, the line and what is wrong with it.
    public init(_ file: FilePath) throws(MetadataError) {
        let bytes: [UInt8]
        do {
            bytes = try file.contents()
        } catch {
            throw MetadataError(description: "\(file): cannot read it: \(error)")
        }
        let folder = file.absolute.removingLastComponent()
        var pictures: [FilePath: [String: MetadataValue]] = [:]
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated()
        where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            func fault(_ reason: String) -> MetadataError {
                MetadataError(description: "\(file):\(number + 1): \(reason)")
            }
            var values: [String: MetadataValue]
            do {
                values = try JSONDecoder().decode([String: MetadataValue].self, from: Data(line))
            } catch let error as DecodingError {
                throw fault(error.reason)
            } catch {
                throw fault("\(error)")
            }
            guard case .text(let image)? = values.removeValue(forKey: "image") else {
                throw fault("'image', the picture's path, is missing")
            }
            let path = folder.pushing(FilePath(image)).lexicallyNormalized()
            guard pictures.updateValue(values, forKey: path) == nil else {
                throw fault("'\(image)' has a line already")
            }
        }
        self.pictures = pictures
    }
}

/// A file of metadata that cannot be read.
public struct MetadataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and where, in one line.
    public let description: String
}
