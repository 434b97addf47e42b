/// How a published implementation prepares captions and questions before the tokenizer.
///
/// The two implementations delete different punctuation, keep different numbers of words and end a
/// text differently; weights expect the rules they were trained with. Words are what stands between
/// single spaces, so a Chinese caption is one word and is never cut here.
public struct TextRules: Sendable, Hashable {
    /// ASCII characters that disappear from captions and questions.
    private let deleted: Set<UInt8>
    /// Whether a deleted character leaves a space behind in a caption.
    private let leavesSpaceInCaptions: Bool
    /// Whether `-` and `/` become spaces, and `<person>` in a caption becomes `person`.
    private let opensCompounds: Bool

    /// The most words kept of a caption.
    public var captionWords: Int
    /// The most words kept of a question.
    public var questionWords: Int
    /// Whether `[SEP]` ends every text.
    public var endsWithSeparator: Bool

    /// The original implementation (`pre_caption`, `pre_question`): 30 words, texts end without
    /// `[SEP]`.
    ///
    /// It kept 30 words of a question in training and 50 when testing: pass the latter to
    /// ``question(_:maximumWords:)``.
    public static let albef = TextRules(
        deleted: Set(",.'!?\"()*#:;~".utf8), leavesSpaceInCaptions: false, opensCompounds: true,
        captionWords: 30, questionWords: 30, endsWithSeparator: false)

    /// LAVIS (`BlipCaptionProcessor`, `BlipQuestionProcessor`): 50 words, texts end with `[SEP]`.
    public static let lavis = TextRules(
        deleted: Set(".!\"()*#:;~".utf8), leavesSpaceInCaptions: true, opensCompounds: false,
        captionWords: 50, questionWords: 50, endsWithSeparator: true)

    /// Cleans a caption.
    ///
    /// Lower-cases, deletes punctuation, turns runs of white space into one space, trims, and cuts
    /// after ``captionWords`` words.
    public func caption(_ text: String) -> String {
        let lower = PythonText.lowercased(text)
        var bytes = cleaned(lower.utf8, replacement: leavesSpaceInCaptions ? space : nil)
        if opensCompounds { bytes = Self.replacing("<person>", by: "person", in: bytes) }
        bytes = PythonText.collapsingWhitespace(bytes)
        while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        while bytes.last == space { bytes.removeLast() }
        let words = bytes.drop { $0 == space }
        return String(decoding: cut(words, after: captionWords), as: UTF8.self)
    }

    /// Cleans a question.
    ///
    /// As ``caption(_:)``, but white space stays as it is, except at the end.
    ///
    /// - Parameters:
    ///   - text: The question.
    ///   - maximumWords: The most words kept; ``questionWords`` by default.
    public func question(_ text: String, maximumWords: Int? = nil) -> String {
        var bytes = cleaned(PythonText.lowercased(text).utf8, replacement: nil)
        while bytes.last == space { bytes.removeLast() }
        let words = cut(bytes[...], after: maximumWords ?? questionWords)
        return String(decoding: words, as: UTF8.self)
    }

    private var space: UInt8 { UInt8(ascii: " ") }

    private func cleaned(_ text: String.UTF8View, replacement: UInt8?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for byte in text {
            if deleted.contains(byte) {
                if let replacement { bytes.append(replacement) }
            } else if opensCompounds, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/") {
                bytes.append(space)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// Everything before the space that follows word number `limit`.
    private func cut(_ bytes: ArraySlice<UInt8>, after limit: Int) -> ArraySlice<UInt8> {
        var spaces = 0
        for (index, byte) in zip(bytes.indices, bytes) where byte == space {
            spaces += 1
            if spaces == limit { return bytes[..<index] }
        }
        return limit > 0 ? bytes : []
    }

    private static func replacing(
        _ pattern: String, by replacement: String, in bytes: [UInt8]
    ) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let first = rest.first {
            if first == pattern.utf8.first, rest.starts(with: pattern.utf8) {
                result += replacement.utf8
                rest = rest.dropFirst(pattern.utf8.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
