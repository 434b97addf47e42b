import ImageText
import Testing

@Suite struct VocabularyTrainerTests {
    /// Ten times "hug", five times "pug", and so on.
    static let corpus = [("hug", 10), ("pug", 5), ("pun", 12), ("bun", 4), ("hugs", 5)]
        .flatMap { Array(repeating: $0.0, count: $0.1) }

    static func tokens(
        of captions: [String], size: Int, minimumFrequency: Int = 2, alphabetLimit: Int = 1000,
        rules: TextRules? = .albef, isUncased: Bool = true
    ) throws -> [String] {
        var words = WordCounts(rules: rules, isUncased: isUncased)
        words.add(captions)
        let trainer = VocabularyTrainer(
            size: size, minimumFrequency: minimumFrequency, alphabetLimit: alphabetLimit)
        return Array(try trainer.train(on: words).tokens.dropFirst(5))
    }

    @Test func theMostFrequentPairIsMergedFirst() throws {
        // Pairs at first: ##u ##g 20, p ##u 17, ##u ##n 16, h ##u 15, ##g ##s 5, b ##u 4. The first
        // merge takes words from p ##u, the second the rest; hugs and pug are tied at 5.
        let alphabet = [
            "##u", "##g", "p", "##n", "h", "##s", "b", "##b", "##h", "##p", "g", "n", "s", "u",
        ]
        let merges = ["##ug", "##un", "hug", "pun", "hugs", "pug", "bun"]
        #expect(try Self.tokens(of: Self.corpus, size: 1000) == alphabet + merges)
        for size in 6..<31 {
            let expected = Array((alphabet + merges).prefix(size - 5))
            #expect(try Self.tokens(of: Self.corpus, size: size) == expected)
        }
        // Without the b of bun, ##u ##n occurs 12 times, as p ##u does, which is later in bytes.
        #expect(
            try Self.tokens(of: Self.corpus, size: 1000, minimumFrequency: 5)
                == alphabet.filter { $0 != "b" && $0 != "##b" }
                + ["##ug", "hug", "##un", "pun", "hugs", "pug"])
    }

    @Test func pairsThatOverlapAreMergedFromTheLeft() throws {
        // a ##a ##a ##a, then a ##aa ##a, then a ##aaa: both pairs of the second occur twice, and
        // "##aa" comes before "a".
        let expected = ["##a", "a", "##aa", "##aaa", "aaaa"]
        #expect(try Self.tokens(of: ["aaaa", "aaaa"], size: 100) == expected)
    }

    @Test(arguments: 0..<20) func mergesAreThoseOfCountingAnewEachTime(seed: UInt64) throws {
        var random = Generator(state: seed)
        let words = (0..<60).map { _ in
            (0..<Int.random(in: 1...7, using: &random)).map { _ in
                ["a", "b", "c"].randomElement(using: &random) ?? ""
            }.joined()
        }
        let trained = try Self.tokens(of: words, size: 75, minimumFrequency: 2)
        let alphabet = Array(trained.prefix(6))
        #expect(Set(alphabet) == ["a", "b", "c", "##a", "##b", "##c"])
        #expect(trained == Self.mergedNaively(words, alphabet: alphabet, count: 70))
    }

    private static func mergedNaively(
        _ words: [String], alphabet: [String], count: Int
    ) -> [String] {
        var tokens = alphabet
        var spelled = words.map { word in
            word.enumerated().map { $0.offset == 0 ? String($0.element) : "##\($0.element)" }
        }
        while tokens.count < count {
            var counts: [[String]: Int] = [:]
            for word in spelled {
                for (left, right) in zip(word, word.dropFirst()) {
                    counts[[left, right], default: 0] += 1
                }
            }
            let best = counts.filter { $0.value >= 2 }.min {
                ($1.value, $0.key[0], $0.key[1]) < ($0.value, $1.key[0], $1.key[1])
            }
            guard let pair = best?.key else { break }
            let merged = pair[0] + pair[1].dropFirst(2)
            if !tokens.contains(merged) { tokens.append(merged) }
            for index in spelled.indices {
                var position = 0
                while position + 1 < spelled[index].count {
                    if Array(spelled[index][position...(position + 1)]) == pair {
                        spelled[index].replaceSubrange(position...(position + 1), with: [merged])
                    }
                    position += 1
                }
            }
        }
        return tokens
    }

    @Test func theOrderOfTheCaptionsIsOfNoConsequence() throws {
        let captions = try CaptionRow.load().map(\.text)
        let expected = try Self.tokens(of: captions, size: 700)
        var random = Generator(state: 7)
        for _ in 0..<3 {
            #expect(try Self.tokens(of: captions.shuffled(using: &random), size: 700) == expected)
        }
    }

    @Test(arguments: [6, 50, 400, 5000]) func theSizeHoldsAndSpecialTokensComeFirst(
        size: Int
    ) throws {
        var words = WordCounts()
        words.add(try CaptionRow.load().map(\.text))
        let vocabulary = try VocabularyTrainer(size: size).train(on: words)
        #expect(vocabulary.special.ids == [0, 1, 2, 3, 4])
        #expect(vocabulary.count <= size)
        if size <= 400 { #expect(vocabulary.count == size) }
    }

    @Test(arguments: [1, 2, 3], [true, false])
    func frequentWordsAreNeverUnknown(minimum: Int, isUncased: Bool) throws {
        var words = WordCounts(rules: nil, isUncased: isUncased)
        let captions = try CaptionRow.load().map(\.text)
        words.add(captions)
        let trainer = VocabularyTrainer(size: 30_000, minimumFrequency: minimum)
        let vocabulary = try trainer.train(on: words)
        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary, isUncased: isUncased)
        // A word between spaces may be several words of the tokenizer, all of which must occur.
        var checked = 0
        for word in Set(captions.flatMap { $0.split(separator: " ").map(String.init) })
        where word.unicodeScalars.count <= 100 {
            var parts = WordCounts(rules: nil, isUncased: isUncased)
            parts.add(word)
            guard parts.total == 1, words[word] >= minimum else { continue }
            checked += 1
            #expect(!tokenizer.tokens(of: word).contains("[UNK]"), "\(word)")
        }
        #expect(checked > 40)
        let coverage = VocabularyCoverage(of: vocabulary, on: words)
        #expect(coverage.captions == captions.count && coverage.words == words.total)
        if minimum == 1 {
            // Only words of more than a hundred characters remain.
            #expect(coverage.unknownShare < 0.002)
        }
    }

    @Test func newWordsOfKnownCharactersAreSpelled() throws {
        let text = [String](repeating: "on the mat", count: 2)
        var words = WordCounts()
        words.add(text)
        let tokenizer = WordPieceTokenizer(
            vocabulary: try VocabularyTrainer(size: 100).train(on: words))
        // No training word starts with "a" or has an "o" inside.
        #expect(tokenizer.tokens(of: "atom") == ["a", "##t", "##o", "##m"])
        #expect(tokenizer.tokens(of: "cat") == ["[UNK]"])
    }

    @Test func ideographsAreWordsAndHaveNoLimit() throws {
        let captions = ["两只狗在草地上。", "一只黑狗 and a dog", "穿着red裙子的女孩。", "两个女孩"]
        let tokens = try Self.tokens(of: captions, size: 200, alphabetLimit: 2)
        // Of the others, d occurs three times, a and 。 twice; the order of bytes decides.
        #expect(tokens == ["##d", "a", "两", "只", "女", "孩", "狗", "d", "##a"])
        let all = try Self.tokens(of: captions, size: 200, minimumFrequency: 1)
        #expect(all.filter { $0.hasPrefix("##") }.allSatisfy { $0.utf8.count < 6 })
        #expect(Set("两只狗在草地上一黑穿着裙子的女孩个".map(String.init)).isSubset(of: all))
        #expect(all.contains("red") && all.contains("and") && !all.contains("##。"))
    }

    @Test func countsFollowCleaningAndSplitting() throws {
        var words = WordCounts(rules: .albef)
        words.add(["A dog's Café-bar, 黑狗!", "a <person>"])
        #expect(words.captions == 2 && words.total == 8)
        for word in ["dogs", "cafe", "bar", "黑", "狗", "person"] { #expect(words[word] == 1) }
        #expect(words["a"] == 2 && words.distinct == 7)
        var cased = WordCounts(rules: nil, isUncased: false)
        cased.add("A dog's Café")
        #expect(cased["A"] == 1 && cased["'"] == 1 && cased["Café"] == 1 && cased["cafe"] == 0)
    }

    @Test func coverageIsCounted() throws {
        var words = WordCounts()
        words.add(Self.corpus + ["hug zoo"])
        let letters = VocabularyCoverage(
            of: try VocabularyTrainer(size: 19).train(on: Self.counts()), on: words)
        // 11 hug, 5 pug, 12 pun and 4 bun of three letters, 5 hugs of four, and zoo.
        #expect(letters.tokens == 32 * 3 + 5 * 4 + 1 && letters.words == 38)
        #expect(letters.captions == 37 && letters.singleTokenWords == 0)
        #expect(letters.unknownWords == 1 && letters.unknownShare == 1 / 38.0)
        let full = VocabularyCoverage(
            of: try VocabularyTrainer(size: 100).train(on: Self.counts()), on: words)
        #expect(full.tokensPerCaption == 38 / 37.0 && full.singleTokenShare == 37 / 38.0)
    }

    private static func counts() -> WordCounts {
        var words = WordCounts()
        words.add(corpus)
        return words
    }

    @Test func settingsThatMakeNoSenseAreNamed() throws {
        let cases: [(trainer: VocabularyTrainer, words: WordCounts, message: String)] = [
            (.init(size: 5), Self.counts(), "5 tokens"),
            (.init(size: 10, minimumFrequency: 0), Self.counts(), "at least 1"),
            (.init(size: 10, alphabetLimit: -1), Self.counts(), "0, not -1"),
            (.init(size: 10), WordCounts(), "no words"),
            (.init(size: 10, minimumFrequency: 99), Self.counts(), "occurs 99 times"),
        ]
        for (trainer, words, message) in cases {
            let error = #expect(throws: VocabularyTrainingError.self) {
                try trainer.train(on: words)
            }
            #expect(error?.description.contains(message) == true)
        }
    }

    /// Numbers that are equal in every run (SplitMix64).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
