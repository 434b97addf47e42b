/// A text that equals another only if their bytes do.
///
/// `String` takes two spellings of "é" for one text. Names of files are not equal then.
struct ExactText: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Equal bytes are equal texts, which hash alike.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
