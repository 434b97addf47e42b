public import SystemPackage

/// Two images and two captions, each of which describes one of the images, as in Winoground (Thrush
/// et al., CVPR 2022).
///
/// Caption 0 belongs to image 0, and caption 1 to image 1. Usually both captions have the same
/// words.
public struct PairItem: Sendable, Hashable {
    /// The identifier in the file.
    public var id: String
    /// The files of image 0 and image 1.
    public var images: [FilePath]
    /// Caption 0 and caption 1.
    public var captions: [String]
    /// The tags that the file has for the pair.
    public var tags: [Tag: String]
    /// The annotation file that the pair comes from.
    public var file: FilePath
    /// The place of the pair in that file: `[3]` in a list, `line 4` in JSON Lines or a table.
    public var entry: String

    /// A property that groups pairs, named as in Winoground.
    public enum Tag: String, Sendable, Hashable, CaseIterable {
        /// Whether objects, relations or both are exchanged.
        case collapsed = "collapsed_tag"
        /// The exchanged parts, in detail.
        case detailed = "tag"
        /// Any other peculiarity of the pair.
        case secondary = "secondary_tag"
        /// The number of main predicates in the captions.
        case mainPredicates = "num_main_preds"
    }

    /// Creates a pair.
    ///
    /// - Parameters:
    ///   - id: The identifier in the file.
    ///   - images: The two files.
    ///   - captions: The two texts.
    ///   - tags: The properties of the pair; none by default.
    ///   - file: The annotation file; empty by default.
    ///   - entry: The place in the annotation file; empty by default.
    public init(
        id: String, images: [FilePath], captions: [String], tags: [Tag: String] = [:],
        file: FilePath = "", entry: String = ""
    ) {
        precondition(
            images.count == 2 && captions.count == 2, "a pair has two images and two captions")
        self.id = id
        self.images = images
        self.captions = captions
        self.tags = tags
        self.file = file
        self.entry = entry
    }
}

/// Pairs of images and captions, read from annotation files in Winoground's format.
///
/// A file is JSON Lines, a JSON list or a table (CSV, TSV) with `image_0`, `image_1`, `caption_0`,
/// `caption_1` and perhaps `id`, `tag`, `secondary_tag`, `num_main_preds`, `collapsed_tag`. Image
/// names may lack their extension, such as Winoground's `ex_0_img_0`.
public struct PairDataset: Sendable {
    /// The pairs, in the order of the files.
    public private(set) var items: [PairItem]
    /// The number of pairs left out because one of their images does not exist.
    public private(set) var missingCount: Int

    /// Creates a data set of the given pairs.
    public init(items: [PairItem]) {
        self.items = items
        missingCount = 0
    }

    /// Reads several annotation files, in order.
    ///
    /// - Parameters:
    ///   - files: The annotation files, in any of the forms above.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     each annotation file.
    ///   - limit: The number of pairs to keep from the beginning of each file; 0 for all.
    ///   - missing: The treatment of pairs with an image that does not exist.
    /// - Throws: ``DatasetError``, which names the file, the pair and the field.
    public init(
        reading files: [FilePath], imageRoot: FilePath? = nil, limit: Int = 0,
        missing: MissingImages = .refused
    ) throws(DatasetError) {
        self.init(items: [])
        for file in files {
            let read = try PairFile(path: file, imageRoot: imageRoot).read()
            let found = try missing.filter(read, of: file, limit: limit) { $0.images }
            items += found.items
            missingCount += found.missing
        }
    }
}
