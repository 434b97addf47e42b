/// A text that equals another only if their bytes are equal.
///
/// `String` treats two spellings of "é" as equal, but they name different files.
struct ExactText: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Texts with equal bytes have equal hashes.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
