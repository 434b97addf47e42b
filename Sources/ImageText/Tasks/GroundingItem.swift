public import SystemPackage

/// A text that refers to one thing in an image, and the box around that thing.
public struct GroundingItem: Sendable, Hashable {
    /// The image's file.
    public var image: FilePath
    /// The width and height of the upright image, in pixels.
    public var imageWidth, imageHeight: Int
    /// The text as annotated, such as `man in blue`.
    public var text: String
    /// The box around what the text refers to.
    public var box: BoundingBox
    /// The boxes among which a model chooses; empty if there are none for the image.
    public var proposals: [BoundingBox]
    /// The `ref_id`; `nil` if the record has none.
    public var id: RecordID?
    /// The part of the data set, such as `testA`; `nil` if the record names none.
    public var split: String?
    /// The annotation file that the item comes from.
    public var file: FilePath
    /// The place of the item in that file: `[3]` in a list, `line 4` in JSON Lines.
    public var entry: String

    /// Creates an item.
    public init(
        image: FilePath, imageWidth: Int, imageHeight: Int, text: String, box: BoundingBox,
        proposals: [BoundingBox], id: RecordID? = nil, split: String? = nil, file: FilePath = "",
        entry: String = ""
    ) {
        self.image = image
        self.imageWidth = imageWidth
        self.imageHeight = imageHeight
        self.text = text
        self.box = box
        self.proposals = proposals
        self.id = id
        self.split = split
        self.file = file
        self.entry = entry
    }
}
