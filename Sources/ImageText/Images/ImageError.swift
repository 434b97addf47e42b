/// Why an image could not be loaded; its description names the file.
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
        case outside(CropBox, width: Int, height: Int)
    }

    let code: Code

    /// The file, or the name its bytes were given.
    public let source: String

    init(_ code: Code, _ source: String) {
        self.code = code
        self.source = source
    }

    /// One line for people: the file and what is wrong with it.
    public var description: String { "\(source): \(reason)" }

    /// What is wrong with the file, without its name.
    public var reason: String {
        switch code {
        case .unreadable(let why): "cannot be read: \(why)"
        case .empty: "is empty"
        case .tooManyBytes(let count, let limit):
            "is \(count) bytes long; an image may have \(limit)"
        case .unrecognised: "is not an image of a known format"
        case .unsupported(let format): "is \(format), a format that is not read"
        case .unavailable(let format, let why): "is \(format), which cannot be read: \(why)"
        case .tooManyPixels(let format, let width, let height, let limit):
            "is a \(format) that declares \(width) x \(height) pixels, above the limit of \(limit)"
        case .undecodable(let format, let why):
            "is a \(format) that cannot be decoded: \(why.isEmpty ? "it is damaged" : why)"
        case .unencodable(let format, let why):
            "cannot be made a \(format): \(why.isEmpty ? "the encoder fails" : why)"
        case .outside(let box, let width, let height):
            "has \(width) x \(height) pixels, and none of them in the box \(box)"
        }
    }
}
