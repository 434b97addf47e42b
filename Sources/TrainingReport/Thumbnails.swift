import Foundation
import ImageText
import SystemPackage

/// Small copies of images, each in the page once however often it is shown.
struct Thumbnails {
    /// The longer side in pixels: twice what is shown, for dense screens.
    static let side = 144

    /// The style sheet's class of each image that could be read.
    private(set) var classes: [String: String] = [:]
    private(set) var css = ""
    /// How many images could not be read.
    private(set) var missing = 0

    /// No images.
    init() {}

    /// Reads images.
    ///
    /// - Parameters:
    ///   - paths: Their files, relative to the current folder or to the run's.
    ///   - run: The run's directory.
    ///   - progress: Called with how many of how many images are done.
    /// - Throws: `CancellationError` when the task was cancelled.
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
