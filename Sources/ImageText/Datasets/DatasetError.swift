package import SystemPackage

/// Why annotations cannot be read, or a data set cannot be trained on; names file, place and field.
public struct DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case unreadable, malformed, empty, unrecognised, unsplit, tooSmall, tooManyFailures,
            occupied, missingImage, parquet
    }

    private let code: Code
    /// What is wrong and where, in one line.
    public let description: String

    static func unreadable(_ path: FilePath, _ reason: String) -> DatasetError {
        DatasetError(code: .unreadable, description: "\(path): cannot read it: \(reason)")
    }

    /// - Parameter entry: Where it is in a JSON document, such as `[3].caption`.
    static func malformed(_ path: FilePath, entry: String, _ why: String) -> DatasetError {
        let place = entry.isEmpty ? "" : "\(entry): "
        return DatasetError(code: .malformed, description: "\(path): \(place)\(why)")
    }

    /// - Parameter line: Counted from 1.
    static func malformed(
        _ path: FilePath, line: Int, field: String = "", _ why: String
    ) -> DatasetError {
        let place = field.isEmpty ? "" : "\(field): "
        return DatasetError(code: .malformed, description: "\(path):\(line): \(place)\(why)")
    }

    static func empty(_ path: FilePath, _ why: String) -> DatasetError {
        DatasetError(code: .empty, description: "\(path): \(why)")
    }

    /// - Parameter header: The fields of the first line, taken as a table's.
    static func unrecognised(_ path: FilePath, header: [String]) -> DatasetError {
        let found = String(header.joined(separator: ", ").prefix(200))
        return DatasetError(
            code: .unrecognised,
            description: "\(path): is no annotation file that is known (a JSON list, JSON Lines, "
                + "COCO's or Karpathy's JSON, CSV or TSV with a header, or a folder of images); "
                + "the columns of a table would be called: \(found)")
    }

    /// - Parameters:
    ///   - items: how many items lack an image.
    ///   - count: how many items were looked at.
    static func missingImage(
        _ path: FilePath, entry: String, image: FilePath, items: Int, of count: Int
    ) -> DatasetError {
        DatasetError(
            code: .missingImage,
            description: "\(path): \(entry): there is no image \(image); \(items) of \(count) items"
                + " lack theirs: say where the images are (--images), or leave such items out"
                + " (--skip-missing)")
    }

    static func parquet(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .parquet,
            description: "\(path): is a Parquet file, which is not read; take the data set's JSON"
                + " Lines or CSV, or write them with Python: import pandas;"
                + " pandas.read_parquet('x.parquet').to_json('x.jsonl', orient='records', lines=True)"
                + " with the names of image files in place of the images")
    }

    static func noChoices(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .unrecognised,
            description: "\(path): is no annotation file that is known (SugarCrepe's, ARO's,"
                + " VL-CheckList's or What'sUp's JSON, or JSON Lines with image, positives and"
                + " negatives)")
    }

    static func noPairs(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .unrecognised,
            description:
                "\(path): is no annotation file that is known (JSON Lines, a JSON list, CSV"
                + " or TSV with image_0, image_1, caption_0 and caption_1)")
    }

    package static func occupied(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .occupied,
            description:
                "\(path): holds files of something else, which would be overwritten; name an empty"
                + " or a new directory")
    }

    static func unsplit(_ path: FilePath) -> DatasetError {
        DatasetError(
            code: .unsplit,
            description: "\(path): has no splits to choose from; leave the split out")
    }

    static func noRows(_ path: FilePath, splits: Set<String>, present: Set<String>) -> DatasetError
    {
        let wanted = splits.sorted().joined(separator: ", ")
        let found = present.sorted().joined(separator: ", ")
        return DatasetError(
            code: .unsplit, description: "\(path): has nothing of split \(wanted); it has: \(found)"
        )
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
