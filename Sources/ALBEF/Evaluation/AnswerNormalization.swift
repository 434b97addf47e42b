/// The form in which VQAv2 compares answers.
///
/// The rules, in their order: punctuation is deleted or becomes a space; full stops are deleted
/// except before a digit; letters become lower case; the number words from zero to ten, and `none`,
/// become digits; the articles are dropped; contractions get their apostrophe; words are separated
/// by single spaces.
public struct AnswerNormalization: Sendable {
    /// Creates the normalisation, which has no settings.
    public init() {}

    /// Returns the normal form of an answer.
    public func callAsFunction(_ answer: String) -> String {
        Self.withoutPunctuation(Self.trimmed(answer)).lowercased()
            .split(whereSeparator: \.isWhitespace)
            .map { Self.numbers[String($0)] ?? String($0) }
            .filter { !Self.articles.contains($0) }
            .map { Self.contractions[$0] ?? $0 }
            .joined(separator: " ")
    }

    /// Returns an answer without white space at its ends, and with spaces for line feeds and tabs.
    static func trimmed(_ answer: String) -> String {
        let spaced = String(answer.map { $0.isNewline || $0 == "\t" ? " " : $0 })
        let start = spaced.drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    /// Deletes punctuation, or replaces it by spaces.
    ///
    /// A mark that stands beside a space anywhere in the answer is deleted everywhere. If a comma
    /// stands between two digits, all marks are, so that "1,000" becomes "1000". Otherwise the mark
    /// becomes a space, so that "black-white" becomes "black white".
    private static func withoutPunctuation(_ answer: String) -> String {
        let characters = Array(answer)
        let groupsDigits = characters.indices.dropFirst().dropLast().contains { index in
            characters[index] == "," && isDigit(characters[index - 1])
                && isDigit(characters[index + 1])
        }
        var deleted: Set<Character> = []
        for (index, character) in characters.enumerated() where marks.contains(character) {
            let before = index > 0 && characters[index - 1] == " "
            let after = index + 1 < characters.count && characters[index + 1] == " "
            if groupsDigits || before || after { deleted.insert(character) }
        }
        let spaced = characters.compactMap { character -> Character? in
            guard marks.contains(character) else { return character }
            return deleted.contains(character) ? nil : " "
        }
        return String(
            spaced.indices.compactMap { index -> Character? in
                guard spaced[index] == "." else { return spaced[index] }
                let isPoint = index + 1 < spaced.count && isDigit(spaced[index + 1])
                return isPoint ? "." : nil
            })
    }

    private static func isDigit(_ character: Character) -> Bool {
        character.isWholeNumber && character.isASCII
    }

    /// The punctuation that is deleted or spaced; apostrophes and colons stay.
    private static let marks: Set<Character> = Set(#";/[]"{}()=+\_-><@`,?!"#)

    private static let articles: Set<String> = ["a", "an", "the"]

    private static let numbers: [String: String] = [
        "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
        "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
    ]

    /// Contractions by what they are without one of their apostrophes.
    ///
    /// Those that are words of their own without it, such as "ill" and "well", are not among them.
    private static let contractions: [String: String] = {
        var table: [String: String] = [:]
        for contraction in written.split(whereSeparator: \.isWhitespace) {
            let pieces = contraction.split(separator: "'", omittingEmptySubsequences: false)
            // With all apostrophes but one.
            for left in 1..<pieces.count {
                let text =
                    pieces[..<left].joined(separator: "'")
                    + pieces[left...].joined(separator: "'")
                table[text] = String(contraction)
            }
        }
        return table
    }()

    private static let written = """
        ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've
        hasn't haven't he'd he'd've he's how'd how'll how's i'd've isn't it'd it'd've it'll ma'am
        mightn't mightn't've might've mustn't must've needn't not've o'clock oughtn't shan't
        she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
        someone'd've someone'll someone's something'd something'd've something'll that's there'd
        there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've
        we've weren't what'll what're what's what've when's where'd where's where've who'd who'd've
        who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll
        y'all'd've you'd you'd've you'll you're you've
        """
}
