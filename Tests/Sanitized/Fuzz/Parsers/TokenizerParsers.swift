import ImageText
import SystemPackage

extension Parser {
    static let tokenizers = [
        // tokenizer.json, and after a zero byte tokenizer_config.json.
        Parser("tokenizer") { bytes in
            try readFolder(["tokenizer.json", "tokenizer_config.json"], bytes)
        },
        // vocab.json, and after a zero byte merges.txt.
        Parser("clip") { bytes in try readFolder(["vocab.json", "merges.txt"], bytes) },
        Parser("merges") { bytes in
            try use(Tokenizer.read(bytes, name: "merges.txt", source: "input", readsSpecial: true))
        },
        Parser("sentencepiece") { bytes in
            try use(
                Tokenizer.read(bytes, name: "spiece.model", source: "input", readsSpecial: true))
        },
        Parser("wordpiece") { bytes in
            try use(Tokenizer.read(bytes, name: "vocab.txt", source: "input", readsSpecial: true))
        },
    ]

    private static let names = [
        "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt",
    ]

    private static func readFolder(_ files: [String], _ bytes: [UInt8]) throws {
        for name in names { Scratch.remove(name) }
        for (name, part) in zip(files, bytes.parts(files.count)) where !part.isEmpty {
            _ = try Scratch.write(part, to: name)
        }
        let read = try Tokenizer.read(folder: Scratch.folder, readsSpecial: true)
        use((read.tokenizer, read.framing))
    }

    private static let samples = [
        "", "a dog's 2 photos", "Über-große  Häuser\t\n", "二つの犬 🙂👩‍👩‍👧", "<|endoftext|>[MASK]</s><unk>",
        "e\u{301}\u{0}\u{200D}&amp;lt;",
    ]

    private static func use(_ read: (tokenizer: Tokenizer, framing: TextFraming)) {
        for text in samples {
            let ids = read.tokenizer.ids(of: text)
            _ = read.tokenizer.tokens(of: ids + [-1, 0, .max])
            _ = read.tokenizer.words(of: text, limit: 3)
            _ = read.framing.words(of: text, by: read.tokenizer)
        }
        _ = read.framing.batch(samples, by: read.tokenizer)
    }
}
