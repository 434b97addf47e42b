public import SystemPackage

/// An image and the texts that describe it.
public struct CaptionedImage: Sendable, Hashable {
    /// The image's file.
    public var path: FilePath
    /// What describes it, as annotated.
    public var captions: [String]
    /// Equal for images that the annotations call the same image; from 0 on, without gaps, in
    /// order of appearance.
    public var id: Int

    /// An image with its captions.
    public init(path: FilePath, captions: [String], id: Int) {
        self.path = path
        self.captions = captions
        self.id = id
    }
}

/// Images with captions, from annotation files of the formats in common use.
///
/// | format | told by | fields |
/// |---|---|---|
/// | ALBEF's JSON list | starts with `[` | an image, a caption (a text or a list), `image_id` |
/// | JSON Lines, such as `metadata.jsonl` | starts with `{`, one object per line | the same |
/// | COCO captions | an object with `images`, `annotations` | `file_name`, `image_id`, `caption` |
/// | Karpathy's splits | an object with `images` | `filename`, `filepath`, `split`, `sentences` |
/// | CSV, TSV, also with semicolons | a header with such names | an image, a caption, `image_id`, `split` |
/// | a folder | images with a `.txt` of the same name | one caption a line |
///
/// How an image and its caption may be called is decided by ``CaptionColumns``. Entries about the same
/// file become one image; names that differ in a byte are different files. An `image_id` counts
/// within its annotation file. Images without captions are kept, so that they can be reported.
public struct CaptionDataset: Sendable {
    /// The images in the order they were first named.
    public var images: [CaptionedImage]

    /// How many captions there are in all.
    public var captionCount: Int { images.reduce(0) { $0 + $1.captions.count } }

    /// Takes images as they are.
    public init(images: [CaptionedImage]) { self.images = images }

    /// Reads annotation files, one after the other, as one data set.
    ///
    /// - Parameters:
    ///   - files: Annotation files or folders.
    ///   - imageRoot: Where relative image paths start; each file's own folder by default.
    ///   - splits: Which splits to keep, for formats that have them; all by default.
    ///   - columns: What the image and the caption are called, where they have other names than the
    ///     known ones.
    /// - Throws: ``DatasetError`` naming file, line or entry, and field.
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

    /// Reads an annotation file or a folder.
    ///
    /// - Parameters:
    ///   - file: In any of the formats above.
    ///   - imageRoot: Where relative image paths start; the file's own folder by default.
    ///   - splits: Which splits to keep, for formats that have them; all by default.
    ///   - columns: What the image and the caption are called, where they have other names than the
    ///     known ones.
    /// - Throws: ``DatasetError`` naming file, line or entry, and field.
    public static func read(
        _ file: FilePath, imageRoot: FilePath? = nil, splits: Set<String> = [],
        columns: CaptionColumns = CaptionColumns()
    ) throws(DatasetError) -> CaptionDataset {
        try CaptionDataset(
            reading: [file], imageRoot: imageRoot, splits: splits, columns: columns)
    }
}
