/// The reason that an image could not be loaded or encoded; the description names the file.
public struct ImageError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case unreadable(String)
        case empty
        case tooManyBytes(Int64, limit: Int64)
        case unrecognised
        case unsupported(String)
        case unavailable(format: String, String)
        case tooManyPixels(format: String, width: Int64, height: Int64, limit: Int)
        case undecodable(format: String, String)
        case unencodable(format: String, String)
        /// The reason, as a sentence whose subject is the file.
        case unusable(String)
        case outside(CropBox, width: Int, height: Int)
    }

    let code: Code

    /// The path of the file, or the name that the caller gave to its bytes.
    public let source: String

    init(_ code: Code, _ source: String) {
        self.code = code
        self.source = source
    }

    /// The file and its fault, in one line.
    public var description: String { "\(source): \(reason)" }

    /// The fault of the file, without its name.
    public var reason: String {
        switch code {
        case .unreadable(let why): "cannot be read: \(why)"
        case .empty: "is empty"
        case .tooManyBytes(let count, let limit):
            "has \(count) bytes, above the limit of \(limit)"
        case .unrecognised: "is not an image of a known format"
        case .unsupported(let format): "is \(format), which is not a supported format"
        case .unavailable(let format, let why): "is \(format), which cannot be read: \(why)"
        case .tooManyPixels(let format, let width, let height, let limit):
            "is a \(format) that declares \(width) x \(height) pixels, above the limit of \(limit)"
        case .undecodable(let format, let why):
            "is a \(format) that cannot be decoded: \(why.isEmpty ? "it is damaged" : why)"
        case .unencodable(let format, let why):
            "cannot be encoded as \(format): \(why.isEmpty ? "the encoder failed" : why)"
        case .unusable(let why): why
        case .outside(let box, let width, let height):
            "has \(width) x \(height) pixels, none of which lies in the box \(box)"
        }
    }
}
