import ArgumentParser
import CommandSupport
import ImageText
import Storage
import SystemPackage

/// A file for a figure, whose format its name tells.
struct FigureFile {
    private enum Format {
        case png, jpeg
    }

    private let path: FilePath
    private let format: Format

    /// Checks the name of a figure.
    ///
    /// - Parameters:
    ///   - path: the value of `--output`.
    ///   - image: the image that the figure shows, which it must not replace.
    /// - Throws: A `ValidationError` if the name ends in no known format or is that of the image.
    init(_ path: String, of image: String) throws {
        self.path = FilePath(path)
        switch self.path.extension?.lowercased() {
        case "png": format = .png
        case "jpg", "jpeg": format = .jpeg
        default: throw ValidationError("--output '\(path)' must end in .png or .jpg.")
        }
        if self.path.lexicallyNormalized() == FilePath(image).lexicallyNormalized() {
            throw ValidationError("--output would replace the image '\(image)'.")
        }
    }

    /// Writes the figure, and notes where.
    func write(_ figure: RGBImage) throws {
        let bytes =
            switch format {
            case .png: try PNGEncoder.encode(figure, named: path.description)
            case .jpeg: try JPEGEncoder.encode(figure, quality: 90, named: path.description)
            }
        try AtomicFile.write(bytes, to: path)
        Console.note("wrote \(path.displayed)")
    }
}
