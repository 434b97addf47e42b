import Foundation
import ImageText
import SystemPackage
import Testing

/// The tokenizers of `Tests/Fixtures/text/tokenizers` and their libraries' results for texts.
enum TokenizerFixtures {
    struct Row: Decodable {
        var text: String
        var cleaned: [String: String]
        var ids: [String: [Int]]
    }

    static let folder = TextFixtures.folder.appending(path: "text/tokenizers")

    static let files = [
        "clip-merges": "clip/merges.txt", "clip": "clip.json", "gemma": "gemma.json",
        "spiece": "spiece.model", "symbols": "symbols.model", "unigram": "unigram.json",
        "stages": "stages.json", "gpt2": "gpt2.json", "bert": "bert.json",
    ]

    static func rows() throws -> [Row] {
        try TextFixtures.load([Row].self, from: "tokenizers/rows.json")
    }

    static func path(_ name: String) -> FilePath { FilePath(folder.appending(path: name).path) }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    static func read(_ kind: String, readsSpecial: Bool = false) throws -> TokenizerOfFolder {
        let file = try #require(files[kind])
        return try Tokenizer.read(file: path(file), readsSpecial: readsSpecial)
    }
}

@Suite struct TokenizerKindsTests {
    @Test(arguments: TokenizerFixtures.files.keys.sorted())
    func idsAreThoseOfTheLibrary(kind: String) throws {
        let tokenizer = try TokenizerFixtures.read(kind, readsSpecial: true).tokenizer
        let rows = try TokenizerFixtures.rows()
        #expect(rows.count > 100)
        for row in rows {
            #expect(tokenizer.ids(of: row.text) == row.ids[kind], "\(row.text)")
        }
    }

    @Test func theOlderFilesOfCLIPDoTheSame() throws {
        let read = try Tokenizer.read(
            folder: TokenizerFixtures.path("clip"), readsSpecial: true)
        #expect(read.files.compactMap(\.lastComponent?.string) == ["vocab.json", "merges.txt"])
        for row in try TokenizerFixtures.rows() {
            #expect(read.tokenizer.ids(of: row.text) == row.ids["clip"], "\(row.text)")
        }
    }

    @Test(arguments: TokenizerFixtures.files.keys.sorted())
    func wordsHoldAllTokensInTheirOrder(kind: String) throws {
        let tokenizer = try TokenizerFixtures.read(kind).tokenizer
        for row in try TokenizerFixtures.rows() {
            let ids = tokenizer.ids(of: row.text)
            for limit in [0, 1, 2, 5, ids.count, ids.count + 1] {
                let words = tokenizer.words(of: row.text, limit: limit)
                #expect(
                    words.flatMap { Array($0.tokens) } == Array(0..<min(limit, ids.count)),
                    "\(row.text)")
                #expect(words.allSatisfy { !$0.tokens.isEmpty })
                #expect(tokenizer.ids(of: row.text, limit: limit) == Array(ids.prefix(limit)))
            }
        }
    }

    @Test func wordsAreThoseOfTheText() throws {
        let text = "Two dogs, running umbrellas!"
        func words(_ kind: String) throws -> [String] {
            try TokenizerFixtures.read(kind).tokenizer.words(of: text).map(\.text)
        }
        let pieces = ["two", "dogs", ",", "running", "umbrellas", "!"]
        #expect(try words("clip-merges") == pieces)
        #expect(try words("clip") == pieces)
        #expect(try words("bert") == pieces)
        #expect(try words("gemma") == ["two", "dogs,", "running", "umbrellas!"])
        #expect(try words("spiece") == ["Two", "dogs,", "running", "umbrellas!"])
        #expect(try words("unigram") == ["Two", "dogs,", "running", "umbrellas!"])
        #expect(try words("gpt2") == ["Two", "dogs", ",", "running", "umbrellas", "!"])
    }

    @Test(arguments: TokenizerFixtures.files.keys.sorted())
    func spellingsAndIDsAgree(kind: String) throws {
        let tokenizer = try TokenizerFixtures.read(kind).tokenizer
        #expect(tokenizer.count > 300)
        for id in 0..<tokenizer.count {
            let token = try #require(tokenizer.tokens(of: [id])[0])
            #expect(tokenizer.id(of: token) == id)
        }
        #expect(tokenizer.tokens(of: [-1, tokenizer.count, .max]) == [nil, nil, nil])
        #expect(tokenizer.id(of: "not a token of any vocabulary") == nil)
    }

    @Test func typedSpecialTokensAreTextUnlessAskedFor() throws {
        let typed = [
            "clip-merges": "<end_of_text>", "clip": "<|endoftext|>", "gemma": "<eos>",
            "spiece": "</s>", "unigram": "</s>", "gpt2": "</s>", "bert": "[SEP]",
        ]
        for (kind, token) in typed {
            let plain = try TokenizerFixtures.read(kind).tokenizer
            let reading = try TokenizerFixtures.read(kind, readsSpecial: true).tokenizer
            let id = try #require(plain.id(of: token))
            #expect(plain.special.contains(id), "\(kind)")
            #expect(!plain.ids(of: "a \(token) b").contains(id), "\(kind)")
            #expect(reading.ids(of: "a \(token) b").contains(id), "\(kind)")
            #expect(reading.words(of: "a \(token) b").map(\.text).contains(token) || kind == "bert")
        }
    }

    @Test func unknownCharactersAreOneTokenOrTheirBytes() throws {
        let unigram = try TokenizerFixtures.read("spiece").tokenizer
        let unknown = try #require(unigram.unknown)
        let start = unigram.ids(of: "a").count
        #expect(unigram.ids(of: "a\u{10FFFD}\u{10FFFD}\u{E000}").dropFirst(start) == [unknown])
        let gemma = try TokenizerFixtures.read("gemma").tokenizer
        let bytes = gemma.tokens(of: gemma.ids(of: "\u{10FFFD}"))
        #expect(bytes == ["<0xF4>", "<0x8F>", "<0xBF>", "<0xBD>"])
        let clip = try TokenizerFixtures.read("clip").tokenizer
        #expect(clip.ids(of: "\u{10FFFD}").count == 4)
    }

    @Test func longTextsOfOneWordTakeNoSquareOfTheirLength() throws {
        // A quadratic method would take minutes for 60,000 characters.
        for kind in ["clip", "gemma", "spiece", "gpt2"] {
            let tokenizer = try TokenizerFixtures.read(kind).tokenizer
            #expect(tokenizer.ids(of: String(repeating: "ab", count: 30_000)).count > 1000)
            let spaces = String(repeating: " ", count: 10_000)
            #expect(tokenizer.ids(of: "a" + spaces + "b").count >= 2)
        }
    }
}
