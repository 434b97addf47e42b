import Storage
package import SystemPackage

/// The reason that annotations cannot be read or written, or that a data set cannot be used.
///
/// The description names the file, the place and the field.
public struct DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case unreadable, unwritable, malformed, empty, unrecognised, unsplit, tooSmall,
            tooManyFailures, occupied, missingImage, parquet, shards, outOfMemory
    }

    private let code: Code
    /// The fault and its place, in one line.
    public let description: String

    /// Whether a batch needs more memory than the system gives.
    public var isOutOfMemory: Bool { code == .outOfMemory }

    static func unreadable(_ path: FilePath, _ reason: String) -> DatasetError {
        DatasetError(code: .unreadable, description: "\(path): cannot be read: \(reason)")
    }

    /// - Parameter reason: What failed, such as `cannot create it: …`.
    static func unwritable(_ path: FilePath, _ reason: String) -> DatasetError {
        DatasetError(code: .unwritable, description: "\(path): \(reason)")
    }

    /// - Parameter entry: The place in a JSON document, such as `[3].caption`.
    static func malformed(_ path: FilePath, entry: String, _ why: String) -> DatasetError {
        let place = entry.isEmpty ? "" : "\(entry): "
        return DatasetError(code: .malformed, description: "\(path): \(place)\(why)")
    }

    /// - Parameter line: The line, from 1.
    static func malformed(
        _ path: FilePath, line: Int, field: String = "", _ why: String
    ) -> DatasetError {
        let place = field.isEmpty ? "" : "\(field): "
        return DatasetError(code: .malformed, description: "\(path):\(line): \(place)\(why)")
    }

    static func empty(_ path: FilePath, _ why: String) -> DatasetError {
        DatasetError(code: .empty, description: "\(path): \(why)")
    }

    /// - Parameter header: The fields of the first line, read as a table's header.
    static func unrecognised(_ path: FilePath, header: [String]) -> DatasetError {
        let found = String(header.joined(separator: ", ").prefix(200))
        return DatasetError(
            code: .unrecognised,
            description: "\(path): is not a supported annotation file (a JSON list, JSON Lines, "
                + "COCO's or Karpathy's JSON, CSV or TSV with a header, or a folder of images); "
                + "read as a table, its columns are: \(found)")
    }

    /// - Parameters:
    ///   - items: The number of items without their image.
    ///   - count: The number of items checked.
    static func missingImage(
        _ path: FilePath, entry: String, image: FilePath, items: Int, of count: Int
    ) -> DatasetError {
        DatasetError(
            code: .missingImage,
            description: "\(path): \(entry): the image \(image) does not exist; \(items) of"
                + " \(count) items lack an image: name the folder of the images (--images), or"
                + " leave such items out (--skip-missing)")
    }

    static func parquet(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .parquet,
            description: "\(path): Parquet files are not supported; use the data set's JSON Lines"
                + " or CSV, or write JSON Lines with Python: import pandas;"
                + " pandas.read_parquet('x.parquet').to_json('x.jsonl', orient='records',"
                + " lines=True) with file names in place of the images")
    }

    /// - Parameter place: The shards as they were named.
    static func shards(_ place: String, _ why: String) -> DatasetError {
        DatasetError(code: .shards, description: "\(place): \(why)")
    }

    static func noChoices(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .unrecognised,
            description: "\(path): is not a supported annotation file (SugarCrepe's, ARO's,"
                + " VL-CheckList's or What'sUp's JSON, or JSON Lines with image, positives and"
                + " negatives)")
    }

    static func noPairs(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .unrecognised,
            description:
                "\(path): is not a supported annotation file (JSON Lines, a JSON list, CSV"
                + " or TSV with image_0, image_1, caption_0 and caption_1)")
    }

    /// - Parameter fields: The fields that every record needs, as a sentence lists them.
    static func noRecords(_ path: FilePath, fields: String) -> DatasetError {
        DatasetError(
            code: .unrecognised,
            description: "\(path): is not a supported annotation file (a JSON list of records, or"
                + " one record per line, with \(fields))")
    }

    package static func occupied(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .occupied,
            description:
                "\(path): contains unrelated files, which would be overwritten; name an empty or a"
                + " new directory")
    }

    static func unsplit(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .unsplit,
            description: "\(path): this format has no splits; omit the split")
    }

    static func noRows(_ path: FilePath, splits: Set<String>, present: Set<String>) -> DatasetError
    {
        let wanted = splits.sorted().joined(separator: ", ")
        let found = present.sorted().joined(separator: ", ")
        return DatasetError(
            code: .unsplit,
            description: "\(path): has no entries of split \(wanted); its splits are: \(found)"
        )
    }

    static func outOfMemory(images: Int, byteCount: Int) -> DatasetError {
        DatasetError(
            code: .outOfMemory,
            description:
                "the system does not give the \(NumberText.bytes(Double(byteCount))) of memory that"
                + " the pixels of \(images) images need")
    }

    static func tooSmall(rows: Int, batchSize: Int) -> DatasetError {
        DatasetError(
            code: .tooSmall,
            description:
                "the data set has \(rows) rows with captions, fewer than a batch of \(batchSize)")
    }

    static func tooManyFailures(_ count: Int, of images: Int, latest: ImageError) -> DatasetError {
        DatasetError(
            code: .tooManyFailures,
            description: "\(count) of \(images) images cannot be read, the latest \(latest)")
    }
}
