import Storage
public import SystemPackage
import Torch

/// What a model directory says of its model to people: `card.md`, a page of Markdown.
///
/// Its first line that is neither empty nor a heading says in a few words what the model knows;
/// programs show that line beside the model's name.
public struct ModelCard: Sendable, Hashable {
    /// The whole page.
    public let text: String
    /// What the model knows, in one line without a full stop, such as "everyday photos, English and
    /// Chinese".
    public let knows: String

    /// The longest line that says what a model knows, in characters.
    static let longest = 200
    /// The longest page, in bytes.
    private static let mostBytes = 64 << 10

    /// Reads a page.
    ///
    /// - Returns: nil if it has no line that says what the model knows, or one of more than 200
    ///   characters or with control characters.
    public init?(_ text: String) {
        // A byte order mark may stand at the start.
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
        knows = line
    }

    /// Reads a file.
    ///
    /// - Throws: ``ModelFileError`` for what is no card; `FileError` if the file cannot be
    ///   read.
    public init(contentsOf path: FilePath) throws {
        let text = try ModelDirectory.text(of: path, atMost: Self.mostBytes)
        guard let card = text.flatMap({ ModelCard($0) }) else {
            throw ModelFileError(
                path,
                .configuration(
                    "is no card: a text of 64 KiB at most, whose first line that is no heading says"
                        + " in \(Self.longest) characters at most what the model knows"))
        }
        self = card
    }
}

extension ModelDirectory {
    /// Stores a card beside the weights, in place of an earlier one.
    ///
    /// It is a file of its own, so that the model stays the one that indexes were made with.
    ///
    /// - Throws: `FileError` if it cannot be written.
    public func write(_ card: ModelCard) throws {
        try AtomicFile.write(Array(card.text.utf8), to: path.appending(Self.cardName))
    }
}
