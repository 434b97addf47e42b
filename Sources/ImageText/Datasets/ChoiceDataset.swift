public import SystemPackage

/// An image with texts that describe it and texts that do not: a model is right where it scores every
/// one of the first above every one of the second.
public struct ChoiceItem: Sendable, Hashable {
    /// The image's file.
    public var image: FilePath
    /// The part of the image that the texts are about; nil for all of it.
    public var box: CropBox?
    /// What describes it; at least one text.
    public var positives: [String]
    /// What does not; at least one text.
    public var negatives: [String]
    /// What is tested, such as `swap_att`.
    public var kind: String
    /// The file that the item is from.
    public var file: FilePath
    /// Where it is in that file: `[3]` of a list, the key of an object, `line 4` of JSON Lines.
    public var entry: String

    /// An item with at least one text of each sort.
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

    /// The probability that scores drawn at random are right: of the orders of P positives and N
    /// negatives, `P! N! / (P + N)!` put the positives first.
    public var chance: Double {
        // 1 over the binomial coefficient, term by term, so that nothing overflows.
        (0..<positives.count).reduce(1) { chance, index in
            chance * Double(index + 1) / Double(negatives.count + index + 1)
        }
    }
}

/// Items for which a model chooses between texts, from annotation files of the forms in common use.
///
/// | form | told by | kind |
/// |---|---|---|
/// | SugarCrepe | an object of objects with `filename`, `caption`, `negative_caption` | the file's name |
/// | ARO, relation and attribution | a list with `image_path`, `true_caption`, `false_caption`, `bbox_…` | `relation_name`, or the `attributes` joined by `_` |
/// | ARO's orders, What'sUp | a list with `image` or `image_path` and `caption_options`, the first of them right | the file's name |
/// | VL-CheckList | a list of `[image, {"POS": […], "NEG": […]}]` | the file's name |
/// | VL-CheckList's corpus | `ANNO_PATH`, `IMG_ROOT` and `TYPE` in YAML | the file's place below `corpus` |
/// | our own | JSON Lines, or a list, with `image`, `positives`, `negatives`, and perhaps `kind` and `box`: `[x, y, width, height]` | `kind`, else the file's name |
///
/// Where files of several folders have one name, their kinds are called with as much of the path as
/// tells them apart.
public struct ChoiceDataset: Sendable {
    /// The items in the order of the files.
    public private(set) var items: [ChoiceItem]
    /// How many items were left out because their image does not exist.
    public private(set) var missingCount: Int
    /// Items that a kind needs to count in the mean over kinds: 25 where the form is ARO's relations or
    /// attributes, as there, else 1.
    public var minimumKindSize: Int

    /// Takes items as they are.
    public init(items: [ChoiceItem], minimumKindSize: Int = 1) {
        self.items = items
        missingCount = 0
        self.minimumKindSize = minimumKindSize
    }

    /// Reads annotation files, one after the other.
    ///
    /// - Parameters:
    ///   - files: in any of the forms above.
    ///   - imageRoot: where relative image paths start; each file's own folder by default.
    ///   - limit: items taken of each file, the first ones; 0 for all.
    ///   - missing: what becomes of items whose image does not exist.
    /// - Throws: ``DatasetError`` that names the file, the item and the field.
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

    /// Leaves items of some kinds out.
    ///
    /// - Returns: how many items that were.
    @discardableResult
    public mutating func remove(kinds: Set<String>) -> Int {
        let count = items.count
        items.removeAll { kinds.contains($0.kind) }
        return count - items.count
    }
}

/// What files call the kind of their items, where the items do not say.
enum KindNames {
    /// A name for each file: its own without the extension, with folders where names are equal.
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

    /// How many parts name what VL-CheckList's `corpus/Attribute/color/vg.yaml` tests: all below
    /// `corpus` and its version.
    private static func named(_ parts: [String]) -> Int {
        guard let corpus = parts.lastIndex(of: "corpus") else { return 1 }
        let below = parts.count - corpus - 1
        return max(1, below > 1 && parts[corpus + 1] == "v1" ? below - 1 : below)
    }
}
