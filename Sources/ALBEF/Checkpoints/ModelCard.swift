import Storage
public import SystemPackage
import Torch

/// A description of a model for people: an optional `card.md` in the model directory, in Markdown.
///
/// The first line that is neither empty nor a heading names the model's subject in a few words;
/// programs show it beside the model's name.
public struct ModelCard: Sendable, Hashable {
    /// The whole page.
    public let text: String
    /// The model's subject in one line without a full stop, such as "everyday photos, English and
    /// Chinese".
    public let subject: String

    /// The greatest length of ``subject``, in characters.
    static let longest = 200
    /// The largest accepted page, in bytes.
    private static let mostBytes = 64 << 10

    /// Creates a card from the text of a page.
    ///
    /// - Returns: nil if the page has no line that names the model's subject, or if that line has
    ///   more than 200 characters or contains control characters.
    public init?(_ text: String) {
        // The text may start with a byte order mark.
        func isBlank(_ character: Character) -> Bool {
            character.isWhitespace || character == "\u{FEFF}"
        }
        let lines = text.split(whereSeparator: \.isNewline).lazy.map { line in
            String(line.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
        }
        guard var line = lines.first(where: { !$0.isEmpty && !$0.hasPrefix("#") }) else {
            return nil
        }
        if line.hasSuffix(".") { line.removeLast() }
        guard !line.isEmpty, line.count <= Self.longest,
            line.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { return nil }
        self.text = text
        subject = line
    }

    /// Reads a card from a file.
    ///
    /// - Throws: ``ModelFileError`` if the file is not a card; `FileError` if it cannot be read.
    public init(contentsOf path: FilePath) throws {
        let text = try ModelDirectory.text(of: path, atMost: Self.mostBytes)
        guard let card = text.flatMap({ ModelCard($0) }) else {
            throw ModelFileError(
                path,
                .configuration(
                    "is not a model card: it must be UTF-8 text of at most 64 KiB, whose first line"
                        + " that is not a heading describes the model in at most \(Self.longest)"
                        + " characters"))
        }
        self = card
    }
}

extension ModelDirectory {
    /// Writes a card beside the weights and replaces an earlier one.
    ///
    /// The card does not change the model's ``fingerprint``, so existing indexes remain valid.
    ///
    /// - Throws: `FileError` if the file cannot be written.
    public func write(_ card: ModelCard) throws {
        try AtomicFile.write(Array(card.text.utf8), to: path.appending(Self.cardName))
    }
}
