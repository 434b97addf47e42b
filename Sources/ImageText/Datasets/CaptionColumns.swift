/// The names of the image and caption fields in tables and in lists of JSON objects.
///
/// By default the first existing one of these names is used: for the image `image`, `filepath`,
/// `path`, `filename`, `file_name` and `image_path`; for the caption `caption`, `title` and `text`.
public struct CaptionColumns: Sendable, Hashable {
    /// The name of the image field; `nil` for the default names.
    public var image: String?
    /// The name of the caption field; `nil` for the default names.
    public var caption: String?

    /// Creates field names; `nil` stands for the default names.
    public init(image: String? = nil, caption: String? = nil) {
        self.image = image
        self.caption = caption
    }

    /// The names to look for, in order.
    var imageNames: [String] {
        image.map { [$0] }
            ?? ["image", "filepath", "path", "filename", "file_name", "image_path"]
    }

    /// The names to look for, in order.
    var captionNames: [String] { caption.map { [$0] } ?? ["caption", "title", "text"] }
}
