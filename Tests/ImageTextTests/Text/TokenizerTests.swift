import ImageText
import Testing

@Suite struct TokenizerTests {
    @Test func idsAreThoseOfTheReferenceLibrary() throws {
        let english = try TextFixtures.vocabulary("bert-base-uncased")
        let chinese = try TextFixtures.vocabulary("bert-base-chinese")
        let tokenizers = [
            "english": WordPieceTokenizer(vocabulary: english),
            "chinese": WordPieceTokenizer(vocabulary: chinese),
            "cased": WordPieceTokenizer(vocabulary: chinese, isUncased: false),
        ]
        let rows = try CaptionRow.load()
        #expect(rows.count > 200)
        for row in rows {
            for (name, tokenizer) in tokenizers {
                #expect(tokenizer.ids(of: row.text) == row.ids[name], "\(name): \(row.text)")
            }
        }
    }

    @Test func specialTokensAreReadOnlyWhenAskedFor() throws {
        // The published tokenizer recognises them in raw text, as these rows show.
        let vocabulary = try TextFixtures.vocabulary("bert-base-uncased")
        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary, recognizesSpecialTokens: true)
        for row in try ReferenceTexts.load().lavis {
            #expect(tokenizer.tokens(of: row.text) == row.tokens)
            #expect([101] + tokenizer.ids(of: row.text) + [102] == row.ids)
        }
        let plain = WordPieceTokenizer(vocabulary: vocabulary)
        #expect(plain.tokens(of: "a [MASK]") == ["a", "[", "mask", "]"])
        #expect(tokenizer.tokens(of: "a[MASK][SEP][mask]").prefix(3) == ["a", "[MASK]", "[SEP]"])
    }

    @Test(arguments: ["", " ", "\t\n\r\u{3000}", "\u{0}\u{1B}\u{200B}", "\u{FFFD}", "\u{301}"])
    func textsWithoutWordsHaveNoTokens(text: String) throws {
        let tokenizer = WordPieceTokenizer(vocabulary: try TextFixtures.vocabulary("tiny"))
        #expect(tokenizer.ids(of: text).isEmpty)
    }

    @Test func aWordOfMoreThanAHundredCharactersIsUnknown() throws {
        let tokenizer = WordPieceTokenizer(vocabulary: try TextFixtures.vocabulary("tiny"))
        #expect(tokenizer.ids(of: String(repeating: "a", count: 100)).count == 100)
        #expect(tokenizer.tokens(of: String(repeating: "a", count: 101)) == ["[UNK]"])
        #expect(tokenizer.tokens(of: String(repeating: "a", count: 10_000)) == ["[UNK]"])
        #expect(tokenizer.ids(of: String(repeating: "cat ", count: 2_500)).count == 2_500)
    }

    @Test func aWordWithAnUnknownEndIsUnknownAsAWhole() throws {
        let tokenizer = WordPieceTokenizer(vocabulary: try TextFixtures.vocabulary("tiny"))
        #expect(tokenizer.tokens(of: "a cat\u{394}s dog") == ["a", "[UNK]", "dog"])
    }

    @Test func aLimitCutsAnywhere() throws {
        let tokenizer = WordPieceTokenizer(
            vocabulary: try TextFixtures.vocabulary("bert-base-uncased"))
        let text = "unaffable ångström umbrellas"
        let all = tokenizer.ids(of: text)
        for limit in 0...(all.count + 1) {
            #expect(tokenizer.ids(of: text, limit: limit) == Array(all.prefix(limit)))
        }
    }

    @Test func wordsAndTheirTokens() throws {
        let tokenizer = WordPieceTokenizer(
            vocabulary: try TextFixtures.vocabulary("bert-base-uncased"))
        let text = "Unaffable ångström, \u{4E00}\u{10FFFF}q umbrellas"
        let all = tokenizer.ids(of: text)
        for limit in 0...(all.count + 1) {
            let words = tokenizer.words(of: text, limit: limit)
            #expect(words.flatMap { Array($0.tokens) } == Array(0..<min(limit, all.count)))
            #expect(words.allSatisfy { !$0.tokens.isEmpty })
        }
        let words = tokenizer.words(of: text)
        #expect(words.first?.text == "unaffable")
        #expect((words.first?.tokens.count ?? 0) > 1)
        #expect(words.map(\.text).contains("angstrom") && words.last?.text == "umbrellas")
        for word in words {
            #expect(tokenizer.ids(of: word.text) == Array(all[word.tokens]))
        }
    }
}
