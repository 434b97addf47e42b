import Foundation
import ImageText
import Testing

@Suite struct TextFramingTests {
    @Test func cleaningIsThatOfTheReference() throws {
        for row in try TokenizerFixtures.rows() {
            for (name, expected) in row.cleaned {
                let cleaning = try #require(TextCleaning(rawValue: name))
                #expect(same(cleaning.clean(row.text), expected), "\(name): \(row.text)")
            }
        }
        #expect(TextCleaning.none.clean(" A&amp;b ") == " A&amp;b ")
        #expect(TextCleaning.lowercase.clean("ÀΣ İ 中A") == "àσ i\u{307} 中a")
        #expect(TextCleaning.albef.clean("A dog-sled, <person>!") == "a dog sled person")
        #expect(TextCleaning.lavis.clean("Wait... (now)") == "wait now")
    }

    @Test func clipRowsHave77Tokens() throws {
        let read = try TokenizerFixtures.read("clip-merges")
        let (start, end) = (read.tokenizer.count - 2, read.tokenizer.count - 1)
        #expect(read.framing.start == [start] && read.framing.end == [end])
        let long = String(repeating: "dog ", count: 100)
        let batch = read.framing.batch(["", "a dog", long], by: read.tokenizer)
        #expect(batch.length == 77 && batch.count == 3)
        #expect(batch[0] == [start, end])
        #expect(batch[1].first == start && batch[1].last == end)
        #expect(batch[2].count == 77 && batch[2].last == end)
        #expect(batch[2].dropFirst().dropLast() == read.tokenizer.ids(of: long).prefix(75)[...])
        #expect(batch.ids[2..<77].allSatisfy { $0 == 0 })
    }

    @Test func sigLIPRowsArePaddedWithTheEnd() throws {
        let read = try TokenizerFixtures.read("spiece")
        let end = try #require(read.tokenizer.id(of: "</s>"))
        let framing = TextFraming(
            cleaning: .siglip, end: [end], length: 64, isFixedLength: true, padding: end)
        let batch = framing.batch(["A photo, of 2 cats!"], by: read.tokenizer)
        #expect(batch.ids.count == 64)
        #expect(batch[0] == read.tokenizer.ids(of: "a photo of 2 cats") + [end])
        #expect(batch.ids.dropFirst(batch[0].count).allSatisfy { $0 == Int64(end) })
        let words = framing.words(of: "A photo, of 2 cats!", by: read.tokenizer)
        #expect(words.map(\.text) == ["a", "photo", "of", "2", "cats"])
        #expect(words.first?.tokens.lowerBound == 0)
    }

    @Test func filesSayHowTextsAreFramed() throws {
        let gemma = try TokenizerFixtures.read("gemma").framing
        #expect(gemma == TextFraming(end: [1], length: 64, isFixedLength: true, padding: 0))
        let bert = try TokenizerFixtures.read("bert")
        #expect(bert.framing == TextFraming(start: [2], end: [3], padding: 0))
        #expect(bert.framing.words(of: "dogs", by: bert.tokenizer).first?.tokens.lowerBound == 1)
        let clip = try TokenizerFixtures.read("clip")
        let ids = clip.framing.ids(of: "dog", by: clip.tokenizer)
        #expect(clip.tokenizer.tokens(of: ids).first == "<|startoftext|>")
        #expect(clip.tokenizer.tokens(of: ids).last == "<|endoftext|>")
        let unigram = try TokenizerFixtures.read("unigram")
        #expect(unigram.tokenizer.tokens(of: unigram.framing.start) == ["<s>"])
        #expect(unigram.tokenizer.tokens(of: unigram.framing.end) == ["</s>"])
        #expect(unigram.tokenizer.tokens(of: [unigram.framing.padding]) == ["<pad>"])
    }

    @Test func framingsSurviveJSON() throws {
        let framings = [
            TextFraming(), TextFraming(start: [1, 2], end: [3], length: nil, padding: 9),
            TextFraming(
                cleaning: .openCLIPCanonical, end: [1], length: 64, isFixedLength: true, padding: 1),
        ]
        for framing in framings {
            let data = try JSONEncoder().encode(framing)
            #expect(try JSONDecoder().decode(TextFraming.self, from: data) == framing)
        }
        let sparse = try JSONDecoder().decode(
            TextFraming.self, from: Data(#"{"cleaning": "openclip", "end": [5]}"#.utf8))
        #expect(sparse == TextFraming(cleaning: .openCLIP, end: [5]))
    }

    @Test(arguments: [
        #"{"cleaning": "polish"}"#, #"{"start": [-1]}"#, #"{"padding": 99999999999}"#,
        #"{"start": [1, 2], "end": [3], "length": 2}"#, #"{"fixed": true}"#,
        #"{"length": 100000000}"#, #"{"end": 3}"#,
    ])
    func framingsThatMakeNoSenseAreRefused(json: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(TextFraming.self, from: Data(json.utf8))
        }
    }
}
