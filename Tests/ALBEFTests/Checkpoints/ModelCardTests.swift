import ALBEF
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The card of a model")
struct ModelCardTests {
    @Test(
        "The first line that is not a heading names the model's subject",
        arguments: [
            ("everyday photos", "everyday photos"),
            ("# photos\n\neveryday photos, English.\n\nMore.\n", "everyday photos, English"),
            ("\u{FEFF}## a\r\n  \r\n\t日常照片 \r\n", "日常照片"),
        ])
    func subject(text: String, subject: String) throws {
        let card = try #require(ModelCard(text))
        #expect(card.subject == subject && card.text == text)
    }

    @Test(
        "A page without such a line, or with an unsuitable one, is not a card",
        arguments: [
            "", "\n \n", "# heading\n## another\n", ".", "photos\u{1B}[2J", "a\u{7}",
            String(repeating: "a", count: 201),
        ])
    func none(text: String) {
        #expect(ModelCard(text) == nil)
    }

    @Test("A card is stored beside the weights and keeps the fingerprint")
    func storage() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("model")
            try TinyModel().write(to: path)
            let model = try ModelDirectory.open(path)
            #expect(model.card == nil)
            let card = try #require(ModelCard("# tiny\n\nnothing at all\n"))
            try model.write(card)
            let again = try ModelDirectory.open(path)
            #expect(again.card == card && again.fingerprint == model.fingerprint)
            // A model of the same name replaces it, with its card.
            try TinyModel(seed: 2).write(to: path)
            #expect(try ModelDirectory.open(path).card == nil)
        }
    }

    @Test("A file that is not a card is an error that names the file")
    func hostile() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("model")
            try TinyModel().write(to: path)
            let files: [[UInt8]] = [[], [0xFF, 0xFE, 0x41], Array(repeating: 0x61, count: 65_537)]
            for bytes in files {
                try Data(bytes).write(to: URL(filePath: path.appending("card.md").string))
                let error = #expect(throws: ModelFileError.self) {
                    try ModelDirectory.open(path)
                }
                #expect("\(try #require(error))".contains("card.md: is not a model card"))
            }
        }
    }
}
