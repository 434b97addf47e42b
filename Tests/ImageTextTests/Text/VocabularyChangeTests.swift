import Foundation
import ImageText
import SystemPackage
import Testing

@Suite("Changes of the vocabulary")
struct VocabularyChangeTests {
    private static let special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]"
    private let old: Vocabulary

    init() throws {
        old = try Vocabulary(Self.special + "\ndog\nhot\n##s\ncaf\n##e\n\u{E9}")
    }

    private func origins(
        _ tokens: String, glosses: String? = nil
    ) throws -> [VocabularyChange.Origin] {
        let new = try Vocabulary(tokens + "\n[MASK]\n[SEP]\n[CLS]\n[UNK]\n[PAD]")
        let change = try VocabularyChange(
            from: old, to: new, glosses: glosses.map { try Glosses($0, source: "g.tsv") })
        #expect(change.origins.suffix(5) == [.same(4), .same(3), .same(2), .same(1), .same(0)])
        return change.origins.dropLast(5)
    }

    @Test("Tokens are kept by spelling, made from glosses, or new")
    func origins() throws {
        #expect(try origins("狗\n##s\ndog\n猫") == [.none, .same(7), .same(5), .none])
        let glosses = "狗\tdog\ndog\thot\n热狗\tHot DOGS!\n不\tdog"
        // The gloss of a token that the tower has is ignored; "!" is unknown.
        #expect(
            try origins("热狗\ndog\n猫\n狗", glosses: glosses)
                == [.gloss([6, 5, 7]), .same(5), .none, .gloss([5])])
    }

    @Test("Tokens are compared by their bytes")
    func bytes() throws {
        // Unicode treats both spellings as equal.
        #expect(try origins("e\u{301}\n\u{E9}") == [.none, .same(10)])
        #expect(
            try origins("e\u{301}", glosses: "\u{E9}\tdog\r\ne\u{301}\thot\r\n") == [.gloss([6])])
    }

    @Test(
        "Errors name the file, the line and the field",
        arguments: [
            ("狗\tdog\n猫", "g.tsv: line 2 has 1 field separated by tabs"),
            ("狗\tdog\tbig", "g.tsv: line 1 has 3 fields separated by tabs"),
            ("狗\tdog\n\n猫\tdog", "g.tsv: line 2 has 1 field"),
            ("\tdog", "g.tsv: line 1, field 1: the token is empty"),
            ("狗\tdog\n猫\thot\n狗\thot", "line 3, field 1: '狗' already has a gloss on line 1"),
            ("猫\tdog\n狗\tcat fish", "line 2, field 2: 'cat fish', for '狗', has no word"),
            ("狗\t", "line 1, field 2: '', for '狗', has no word"),
        ])
    func errors(_ text: String, _ expected: String) throws {
        let error = #expect(throws: GlossError.self) { try origins("狗", glosses: text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test("Files may have a byte order mark; invalid files are rejected by name")
    func files() throws {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "\(UUID().uuidString).tsv")
        defer { try? FileManager.default.removeItem(at: file) }
        let path = FilePath(file.path)
        #expect(throws: GlossError.self) { try Glosses(contentsOf: path) }
        try Data("\u{FEFF}狗\tdog\n猫\t\n".utf8).write(to: file)
        #expect(try Glosses(contentsOf: path).count == 2)
        try Data([0x61, 0x09, 0x62, 0x0A, 0xFF, 0x09, 0x62]).write(to: file)
        let error = #expect(throws: GlossError.self) { try Glosses(contentsOf: path) }
        #expect(error?.description == "\(path): line 2 is not UTF-8")
    }
}
