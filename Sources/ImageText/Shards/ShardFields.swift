/// Which members of a sample are its image and its caption.
///
/// A member's field is what follows the first dot of its file name, in lower case: `jpg` of
/// `a/b.jpg`.
public struct ShardFields: Sendable, Hashable {
    /// The field of the image, such as `jpg` or `left.png`; `nil` for the first field that is the
    /// extension of an image format.
    public var image: String?
    /// The field of the caption; `nil` for `txt`, or for `json` in samples without `txt`.
    public var caption: String?
    /// The names of the caption in the object of a JSON field.
    public var columns: CaptionColumns
    /// Whether members that are neither image nor caption are kept too.
    public var keepsAll = false

    /// Creates fields; `nil` stands for the usual ones.
    public init(
        image: String? = nil, caption: String? = nil, columns: CaptionColumns = CaptionColumns()
    ) {
        self.image = image?.lowercased()
        self.caption = caption?.lowercased()
        self.columns = columns
    }

    func isImage(_ field: String) -> Bool {
        image.map { $0 == field } ?? ImageLoader.fileExtensions.contains(field)
    }

    func isCaption(_ field: String) -> Bool {
        caption.map { $0 == field } ?? (field == "txt" || field == "json")
    }

    /// Whether the content of a field is needed; JSON may hold the image's id.
    func keeps(_ field: String) -> Bool {
        keepsAll || isImage(field) || isCaption(field) || field == "json"
    }
}
