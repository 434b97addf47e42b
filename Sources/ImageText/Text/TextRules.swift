/// A published implementation's preparation of captions and questions before the tokenizer.
///
/// The two implementations delete different punctuation, keep different numbers of words and end
/// texts differently; weights require the rules of their training. Words are separated by single
/// spaces, so a Chinese caption is one word, which is never cut here.
public struct TextRules: Sendable, Hashable {
    /// The ASCII characters that are deleted from captions and questions.
    private let deleted: Set<UInt8>
    /// Whether a deleted character is replaced by a space in captions.
    private let leavesSpaceInCaptions: Bool
    /// Whether `-` and `/` become spaces, and `<person>` in a caption becomes `person`.
    private let opensCompounds: Bool

    /// The maximum number of words of a caption; further words are cut off.
    public var captionWords: Int
    /// The maximum number of words of a question; further words are cut off.
    public var questionWords: Int
    /// Whether `[SEP]` ends every text.
    public var endsWithSeparator: Bool

    /// The rules of the original implementation (`pre_caption`, `pre_question`): 30 words, without
    /// `[SEP]` at the end.
    ///
    /// The original kept 30 words of a question in training and 50 in tests; for the latter pass 50
    /// to ``question(_:maximumWords:)``.
    public static let albef = TextRules(
        deleted: Set(",.'!?\"()*#:;~".utf8), leavesSpaceInCaptions: false, opensCompounds: true,
        captionWords: 30, questionWords: 30, endsWithSeparator: false)

    /// The rules of LAVIS (`BlipCaptionProcessor`, `BlipQuestionProcessor`): 50 words, with `[SEP]`
    /// at the end.
    public static let lavis = TextRules(
        deleted: Set(".!\"()*#:;~".utf8), leavesSpaceInCaptions: true, opensCompounds: false,
        captionWords: 50, questionWords: 50, endsWithSeparator: true)

    /// Cleans a caption.
    ///
    /// The rules lower-case the text, delete punctuation, collapse white space, trim the ends and
    /// keep at most ``captionWords`` words.
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
    /// The rules are those of ``caption(_:)``, except that white space within the text is kept.
    ///
    /// - Parameters:
    ///   - text: The question.
    ///   - maximumWords: The maximum number of words; ``questionWords`` by default.
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

    /// Returns the text before the space that follows word number `limit`.
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
