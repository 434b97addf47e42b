import ImageText
import Testing

/// Byte pair encoding by definition: merges the earliest pair in the list, the leftmost first.
private struct PlainBytePairs {
    var ranks: [String: Int] = [:]

    init(_ merges: String) {
        for (rank, line) in merges.split(separator: "\n").dropFirst().enumerated() {
            ranks[String(line)] = rank
        }
    }

    func pieces(of word: String) -> [String] {
        var pieces = word.map(String.init)
        if let last = pieces.indices.last { pieces[last] += "</w>" }
        while true {
            let pairs = zip(pieces, pieces.dropFirst()).map { ranks["\($0) \($1)"] ?? .max }
            guard let least = pairs.min(), least < .max, let place = pairs.firstIndex(of: least)
            else { return pieces }
            pieces[place] += pieces.remove(at: place + 1)
        }
    }
}

@Suite struct BytePairTests {
    private static func merges() throws -> String {
        String(decoding: try TokenizerFixtures.bytes("clip/merges.txt"), as: UTF8.self)
    }

    @Test func wordsOfAnyLengthAreMergedByTheDefinition() throws {
        let merges = try Self.merges()
        let plain = PlainBytePairs(merges)
        let tokenizer = try Tokenizer.clip(merges: merges)
        var random = SystemRandomNumberGenerator()
        for length in [1, 2, 3, 5, 8, 13, 23, 24, 25, 26, 60, 150] {
            for _ in 0..<20 {
                let letters = (0..<length).map { _ in
                    "aeiourstdnlghwm".randomElement(using: &random) ?? "a"
                }
                let word = String(letters)
                let tokens = tokenizer.tokens(of: tokenizer.ids(of: word))
                #expect(tokens.compactMap(\.self) == plain.pieces(of: word), "\(word)")
            }
        }
    }

    @Test func wrongListsAreRefusedByTheLine() throws {
        func message(_ merges: String) -> String {
            do {
                _ = try Tokenizer.clip(merges: merges, source: "list")
                return ""
            } catch {
                return error.description
            }
        }
        #expect(message("").contains("list: line 1"))
        #expect(message("a b\n").contains("list: line 1"))
        #expect(message("#version: 0.2\na b\na\n").contains("list: line 3"))
        #expect(message("#version: 0.2\na b c\n").contains("list: line 2"))
        #expect(message("#version: 0.2\nab c\n").contains("any line before"))
        #expect(message("#version: 0.2\na b\nab c\n").isEmpty)
    }

    @Test func packedListsAreRefusedWithWhatToDo() {
        #expect {
            try Tokenizer.read(
                [0x1F, 0x8B, 8, 0], name: "bpe_simple_vocab_16e6.txt.gz", source: "bpe.gz")
        } throws: { "\($0)".contains("gunzip") }
    }

    @Test func tokensThatAreCanonicallyEquivalentStayTwo() throws {
        let json = """
            {"model": {"type": "BPE", "unk_token": null, "vocab": {"\u{E9}": 0, "e": 1, \
            "\u{301}": 2, "e\u{301}": 3}, "merges": ["e \u{301}"]}}
            """
        let tokenizer = try Tokenizer.read(
            Array(json.utf8), name: "tokenizer.json", source: "t"
        ).tokenizer
        #expect(tokenizer.ids(of: "\u{E9}e\u{301}e") == [0, 3, 1])
        #expect(tokenizer.id(of: "\u{E9}") == 0)
        #expect(tokenizer.id(of: "e\u{301}") == 3)
    }
}
