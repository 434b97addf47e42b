/// What tables and lists of JSON objects call an image's file and its caption.
///
/// Known without being told are, for the file, `image`, `filepath`, `path`, `filename`, `file_name`
/// and `image_path`, for the caption `caption`, `title` and `text`; the first that is there counts.
public struct CaptionColumns: Sendable, Hashable {
    /// The name of the image's file; nil for the known ones.
    public var image: String?
    /// The name of the caption; nil for the known ones.
    public var caption: String?

    /// Names of columns; by default the known ones.
    public init(image: String? = nil, caption: String? = nil) {
        self.image = image
        self.caption = caption
    }

    /// What to look for, in order.
    var imageNames: [String] {
        image.map { [$0] }
            ?? ["image", "filepath", "path", "filename", "file_name", "image_path"]
    }

    /// What to look for, in order.
    var captionNames: [String] { caption.map { [$0] } ?? ["caption", "title", "text"] }
}
