public import SystemPackage

/// Two images and two captions, each of which describes one image: Winoground's form (Thrush et al.,
/// CVPR 2022).
///
/// Caption 0 belongs to image 0 and caption 1 to image 1; usually both captions have the same words.
public struct PairItem: Sendable, Hashable {
    /// What the file calls it.
    public var id: String
    /// The files of image 0 and image 1.
    public var images: [FilePath]
    /// Caption 0 and caption 1.
    public var captions: [String]
    /// What the file says of it, as far as it does.
    public var tags: [Tag: String]
    /// The file that it is from.
    public var file: FilePath
    /// Where it is in that file: `[3]` of a list, `line 4` of JSON Lines or a table.
    public var entry: String

    /// What pairs are told apart by, as Winoground calls it.
    public enum Tag: String, Sendable, Hashable, CaseIterable {
        /// Whether objects, relations or both are exchanged.
        case collapsed = "collapsed_tag"
        /// What is exchanged, in detail.
        case detailed = "tag"
        /// What else is special about it.
        case secondary = "secondary_tag"
        /// How many main predicates the captions have.
        case mainPredicates = "num_main_preds"
    }

    /// A pair.
    ///
    /// - Parameters:
    ///   - images: two files.
    ///   - captions: two texts.
    public init(
        id: String, images: [FilePath], captions: [String], tags: [Tag: String] = [:],
        file: FilePath = "", entry: String = ""
    ) {
        precondition(images.count == 2 && captions.count == 2, "a pair has two of each")
        self.id = id
        self.images = images
        self.captions = captions
        self.tags = tags
        self.file = file
        self.entry = entry
    }
}

/// Pairs of images and captions from annotation files in Winoground's form.
///
/// JSON Lines, a JSON list, or a table (CSV, TSV) with `image_0`, `image_1`, `caption_0`, `caption_1` and
/// perhaps `id`, `tag`, `secondary_tag`, `num_main_preds`, `collapsed_tag`. Names of images may lack
/// their extension, as `ex_0_img_0` does there.
public struct PairDataset: Sendable {
    /// The pairs in the order of the files.
    public private(set) var items: [PairItem]
    /// How many pairs were left out because one of their images does not exist.
    public private(set) var missingCount: Int

    /// Takes pairs as they are.
    public init(items: [PairItem]) {
        self.items = items
        missingCount = 0
    }

    /// Reads annotation files, one after the other.
    ///
    /// - Parameters:
    ///   - files: in any of the forms above.
    ///   - imageRoot: where relative image paths start; each file's own folder by default.
    ///   - limit: pairs taken of each file, the first ones; 0 for all.
    ///   - missing: what becomes of pairs of which an image does not exist.
    /// - Throws: ``DatasetError`` that names the file, the pair and the field.
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
