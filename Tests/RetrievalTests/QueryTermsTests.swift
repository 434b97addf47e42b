import Retrieval
import Testing

@Suite("What people type")
struct QueryTermsTests {
    @Test(
        "Signs are read as people mean them",
        arguments: [
            ("dog -leash", QueryTerms(text: "dog", without: ["leash"])),
            ("-\"red leash\" dog", QueryTerms(text: "dog", without: ["red leash"])),
            ("狗 -牵绳", QueryTerms(text: "狗", without: ["牵绳"])),
            ("狗　－牵绳", QueryTerms(text: "狗", without: ["牵绳"])),
            ("狗 -「红色 牵绳」 草地", QueryTerms(text: "狗 草地", without: ["红色 牵绳"])),
            ("dog -“red leash”", QueryTerms(text: "dog", without: ["red leash"])),
            ("dog^2 beach", QueryTerms(text: "dog beach", emphasis: ["dog": 2])),
            ("a dog^1.5, running", QueryTerms(text: "a dog, running", emphasis: ["dog": 1.5])),
            ("\"red ball\"^2 dog", QueryTerms(text: "red ball dog", emphasis: ["red ball": 2])),
            ("狗^2 海滩", QueryTerms(text: "狗 海滩", emphasis: ["狗": 2])),
            ("dog^9", QueryTerms(text: "dog", emphasis: ["dog": 9])),
            ("-leash", QueryTerms(text: nil, without: ["leash"])),
            ("dog, -leash, -cat.", QueryTerms(text: "dog,", without: ["leash", "cat"])),
            ("dog -leash -leash", QueryTerms(text: "dog", without: ["leash"])),
            ("dog -\"red leash", QueryTerms(text: "dog", without: ["red leash"])),
            ("dog -x-ray t-shirt", QueryTerms(text: "dog t-shirt", without: ["x-ray"])),
            ("", QueryTerms(text: nil)), ("  ", QueryTerms(text: nil)),
        ])
    func signs(_ typed: String, _ expected: QueryTerms) {
        #expect(QueryTerms(typed) == expected)
    }

    @Test(
        "A sentence without signs is the sentence as it was typed",
        arguments: [
            "a dog  in the snow ", "a t-shirt, black-and-white", "dogs - and cats", "it is -5 °C",
            "a \"red ball\"", "10^6 stars", "x^y", "dog^", "--", "a --dog", "-", "dog -\"\"",
            "dog -\"?!\"", "^2", "2^2^2", "雪地里的狗", "a-b -1 c", "dog^two", "- leash",
        ])
    func plain(_ typed: String) {
        #expect(QueryTerms(typed) == QueryTerms(text: typed))
    }

    private static let words = [
        "dog", "t-shirt", "狗", "海滩", "O'Neill", "naïve", "a", "red", "ball", "été", "x2", "🐕",
    ]

    @Test("Terms that are written down are read back", arguments: UInt64(0)..<300)
    func roundTrip(_ seed: UInt64) {
        var generator = Numbers(seed: seed)
        func phrase(_ lengths: ClosedRange<Int>) -> String {
            (0..<Int.random(in: lengths, using: &generator)).map { _ in
                Self.words.randomElement(using: &generator) ?? ""
            }.joined(separator: " ")
        }
        var pieces: [(typed: String, text: String?)] = []
        var expected = QueryTerms(text: nil)
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let text = phrase(1...3)
                // A sign is of words that begin with a letter; quotation marks take any.
                let quoted = text.contains(" ") || text.first?.isLetter != true
                guard text.contains(where: \.isLetter) else { continue }
                if !expected.without.contains(text) { expected.without.append(text) }
                pieces.append((quoted ? "-\"\(text)\"" : "-\(text)", nil))
            case 1:
                let text = phrase(1...2)
                guard text.contains(where: \.isLetter) else { continue }
                let weight = Double(Int.random(in: 0...16, using: &generator)) / 4
                expected.emphasis[text] = weight
                pieces.append(
                    (text.contains(" ") ? "\"\(text)\"^\(weight)" : "\(text)^\(weight)", text))
            default:
                let text = phrase(1...3)
                pieces.append((text, text))
            }
        }
        let texts = pieces.compactMap(\.text)
        expected.text = texts.isEmpty ? nil : texts.joined(separator: " ")
        let typed = pieces.map(\.typed).joined(separator: " ")
        #expect(QueryTerms(typed) == expected, "\(typed)")
    }

    @Test("Whatever is typed can be read, and a hyphen is never lost within a word")
    func anything() {
        var generator = Numbers(seed: 7)
        let characters = Array("ab狗 -^\"“”「」2.,－＾\n\u{301}\u{202E}")
        for _ in 0..<5000 {
            let typed = String(
                (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                    characters.randomElement(using: &generator) ?? " "
                })
            let terms = QueryTerms(typed)
            let isPlain = terms.without.isEmpty && terms.emphasis.isEmpty
            #expect(!isPlain || terms.text == nil || terms.text == typed)
            #expect(
                terms.without.allSatisfy { $0.contains { $0.isLetter || $0.isNumber } })
            // Nothing is there twice: the same phrase may have been left out twice.
            let letters = typed.filter(\.isLetter).count
            let kept =
                (terms.text ?? "").filter(\.isLetter).count
                + terms.without.joined().filter(\.isLetter).count
            #expect(kept <= letters)
        }
    }

    /// Numbers that are the same in every run (SplitMix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }
}
