public import SystemPackage

/// An image with texts that describe it and texts that do not.
///
/// A model is right if it scores every describing text above every other one.
public struct ChoiceItem: Sendable, Hashable {
    /// The image's file.
    public var image: FilePath
    /// The region of the image that the texts are about; `nil` for the whole image.
    public var box: CropBox?
    /// The texts that describe the image; at least one.
    public var positives: [String]
    /// The texts that do not describe the image; at least one.
    public var negatives: [String]
    /// The ability that the item tests, such as `swap_att`.
    public var kind: String
    /// The annotation file that the item comes from.
    public var file: FilePath
    /// The place of the item in that file: `[3]` in a list, the key in an object, `line 4` in JSON
    /// Lines.
    public var entry: String

    /// Creates an item, with at least one text of each sort.
    public init(
        image: FilePath, box: CropBox? = nil, positives: [String], negatives: [String],
        kind: String, file: FilePath = "", entry: String = ""
    ) {
        self.image = image
        self.box = box
        self.positives = positives
        self.negatives = negatives
        self.kind = kind
        self.file = file
        self.entry = entry
    }

    /// The probability that random scores are right: `P! N! / (P + N)!` for P positives and N
    /// negatives.
    ///
    /// This is the share of all orders that put the positives first.
    public var chance: Double {
        // 1 over the binomial coefficient, factor by factor, to avoid overflow.
        (0..<positives.count).reduce(1) { chance, index in
            chance * Double(index + 1) / Double(negatives.count + index + 1)
        }
    }
}

/// Items for which a model chooses between texts, read from annotation files in common formats.
///
/// | format | recognised by | kind |
/// |---|---|---|
/// | SugarCrepe | an object of objects with `filename`, `caption`, `negative_caption` | the file's name |
/// | ARO, relation and attribution | a list with `image_path`, `true_caption`, `false_caption`, `bbox_…` | `relation_name`, or the `attributes` joined by `_` |
/// | ARO's orders, What'sUp | a list with `image` or `image_path` and `caption_options`, of which the first is right | the file's name |
/// | VL-CheckList | a list of `[image, {"POS": […], "NEG": […]}]` | the file's name |
/// | VL-CheckList's corpus | `ANNO_PATH`, `IMG_ROOT` and `TYPE` in YAML | the file's path below `corpus` |
/// | this package's own | JSON Lines, or a list, with `image`, `positives`, `negatives`, and perhaps `kind` and `box`: `[x, y, width, height]` | `kind`, otherwise the file's name |
///
/// If files in several folders share a name, their kinds include as many folders as are needed to
/// distinguish them.
public struct ChoiceDataset: Sendable {
    /// The items, in the order of the files.
    public private(set) var items: [ChoiceItem]
    /// The number of items left out because their image does not exist.
    public private(set) var missingCount: Int
    /// The number of items that a kind needs in order to count in the mean over kinds: 25 for ARO's
    /// relations and attributes, as in ARO's own evaluation, otherwise 1.
    public var minimumKindSize: Int

    /// Creates a data set of the given items.
    public init(items: [ChoiceItem], minimumKindSize: Int = 1) {
        self.items = items
        missingCount = 0
        self.minimumKindSize = minimumKindSize
    }

    /// Reads several annotation files, in order.
    ///
    /// - Parameters:
    ///   - files: The annotation files, in any of the formats above.
    ///   - imageRoot: The folder that relative image paths start from; by default the folder of
    ///     each annotation file.
    ///   - limit: The number of items to keep from the beginning of each file; 0 for all.
    ///   - missing: The treatment of items whose image does not exist.
    /// - Throws: ``DatasetError``, which names the file, the item and the field.
    public init(
        reading files: [FilePath], imageRoot: FilePath? = nil, limit: Int = 0,
        missing: MissingImages = .refused
    ) throws(DatasetError) {
        self.init(items: [])
        for (file, kind) in zip(files, KindNames.of(files)) {
            let content = try ChoiceFile(path: file, imageRoot: imageRoot, kind: kind).read()
            let found = try missing.filter(content.items, of: file, limit: limit) { [$0.image] }
            items += found.items
            missingCount += found.missing
            if content.hasManyKinds { minimumKindSize = 25 }
        }
    }

    /// Removes the items of some kinds.
    ///
    /// - Returns: The number of items removed.
    @discardableResult
    public mutating func remove(kinds: Set<String>) -> Int {
        let count = items.count
        items.removeAll { kinds.contains($0.kind) }
        return count - items.count
    }
}

/// The kinds of items that do not name their own, derived from the names of their files.
enum KindNames {
    /// Returns one name per file: its own without the extension, after folders if names are equal.
    static func of(_ files: [FilePath]) -> [String] {
        let parts = files.map(parts)
        return parts.indices.map { index in
            let own = parts[index]
            var length = 1
            while length < own.count,
                parts.indices.contains(where: {
                    parts[$0] != own && parts[$0].suffix(length) == own.suffix(length)
                })
            { length += 1 }
            return own.suffix(max(length, named(own))).joined(separator: "/")
        }
    }

    private static func parts(_ file: FilePath) -> [String] {
        var parts = file.lexicallyNormalized().components.map(\.string)
        if let stem = file.stem, !parts.isEmpty { parts[parts.count - 1] = stem }
        return parts
    }

    /// Returns the number of trailing path components that name the ability which VL-CheckList's
    /// `corpus/Attribute/color/vg.yaml` tests: all below `corpus` and its version.
    private static func named(_ parts: [String]) -> Int {
        guard let corpus = parts.lastIndex(of: "corpus") else { return 1 }
        let below = parts.count - corpus - 1
        return max(1, below > 1 && parts[corpus + 1] == "v1" ? below - 1 : below)
    }
}
