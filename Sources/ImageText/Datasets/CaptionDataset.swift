public import SystemPackage

/// An image and the texts that describe it.
public struct CaptionedImage: Sendable, Hashable {
    /// The image's file.
    public var path: FilePath
    /// The captions, as annotated.
    public var captions: [String]
    /// A number that images share if the annotations give them the same `image_id`: from 0,
    /// without gaps, in order of appearance.
    public var id: Int

    /// Creates an image with its captions.
    public init(path: FilePath, captions: [String], id: Int) {
        self.path = path
        self.captions = captions
        self.id = id
    }
}

/// Images with captions, read from annotation files in common formats.
///
/// | format | recognised by | fields |
/// |---|---|---|
/// | ALBEF's JSON list | starts with `[` | an image, a caption (a text or a list), `image_id` |
/// | JSON Lines, such as `metadata.jsonl` | starts with `{`, one object per line | the same |
/// | COCO captions | an object with `images`, `annotations` | `file_name`, `image_id`, `caption` |
/// | Karpathy's splits | an object with `images` | `filename`, `filepath`, `split`, `sentences` |
/// | CSV or TSV, also with semicolons | a header with these names | an image, a caption, `image_id`, `split` |
/// | a folder | images, each with a `.txt` file of the same name | one caption per line |
///
/// ``CaptionColumns`` lists the accepted names of the image and caption fields. Entries with the
/// same path become one image; paths are compared byte by byte. An `image_id` is valid only within
/// its annotation file. Images without captions are kept, so that they can be reported.
public struct CaptionDataset: Sendable {
    /// The images, in the order of their first mention.
    public var images: [CaptionedImage]

    /// The number of captions of all images.
    public var captionCount: Int { images.reduce(0) { $0 + $1.captions.count } }

    /// Creates a data set of the given images.
    public init(images: [CaptionedImage]) { self.images = images }

    /// Reads several annotation files, in order, as one data set.
    ///
    /// - Parameters:
    ///   - files: The annotation files or folders.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     each annotation file.
    ///   - splits: The splits to keep, for formats that have them; all by default.
    ///   - columns: The names of the image and caption fields, if they differ from the default
    ///     names.
    /// - Throws: ``DatasetError``, which names the file, the line or entry, and the field.
    /// - Complexity: O(*n*) for *n* bytes of annotations; images are not opened.
    public init(
        reading files: [FilePath], imageRoot: FilePath? = nil, splits: Set<String> = [],
        columns: CaptionColumns = CaptionColumns()
    ) throws(DatasetError) {
        var builder = DatasetBuilder()
        for file in files {
            try AnnotationFile(
                path: file, imageRoot: imageRoot, splits: splits, columns: columns
            ).read(into: &builder)
        }
        images = builder.images
    }

    /// Reads one annotation file or folder.
    ///
    /// - Parameters:
    ///   - file: The file, in any of the formats above.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     the annotation file.
    ///   - splits: The splits to keep, for formats that have them; all by default.
    ///   - columns: The names of the image and caption fields, if they differ from the default
    ///     names.
    /// - Throws: ``DatasetError``, which names the file, the line or entry, and the field.
    public static func read(
        _ file: FilePath, imageRoot: FilePath? = nil, splits: Set<String> = [],
        columns: CaptionColumns = CaptionColumns()
    ) throws(DatasetError) -> CaptionDataset {
        try CaptionDataset(
            reading: [file], imageRoot: imageRoot, splits: splits, columns: columns)
    }
}
