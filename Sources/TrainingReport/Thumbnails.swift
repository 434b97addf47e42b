import Foundation
import ImageText
import SystemPackage

/// Small copies of images, each embedded in the page once, however often it is shown.
struct Thumbnails {
    /// The longer side in pixels: twice the size shown, for high-density screens.
    static let side = 144

    /// The CSS class of each image that could be read, by its path.
    private(set) var classes: [String: String] = [:]
    private(set) var css = ""
    /// The number of images that could not be read.
    private(set) var missing = 0

    /// Creates an empty set.
    init() {}

    /// Reads and reduces images.
    ///
    /// - Parameters:
    ///   - paths: The files, relative to the current folder or the run's directory.
    ///   - run: The run's directory.
    ///   - progress: Called with the number of images done and the number of all images.
    /// - Throws: `CancellationError` if the task is cancelled.
    init(_ paths: [String], run: FilePath, progress: (Int, Int) -> Void) throws {
        let loader = ImageLoader(targetSide: Self.side)
        var known: Set<String> = []
        let unique = paths.filter { known.insert($0).inserted }
        for (index, path) in unique.enumerated() {
            try Task.checkCancellation()
            progress(index, unique.count)
            guard let image = Self.load(FilePath(path), run, loader),
                let bytes = try? JPEGEncoder.encode(
                    ImageTransform.fitted(image, side: Self.side), named: path)
            else {
                missing += 1
                continue
            }
            let name = "p\(classes.count)"
            classes[path] = name
            css += ".\(name){background-image:url(data:image/jpeg;base64,"
            css += Data(bytes).base64EncodedString() + ")}\n"
        }
        progress(unique.count, unique.count)
    }

    private static func load(_ path: FilePath, _ run: FilePath, _ loader: ImageLoader) -> RGBImage?
    {
        if let image = try? loader.load(path) { return image }
        return path.isAbsolute ? nil : try? loader.load(run.pushing(path))
    }
}
