import ALBEF
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The card of a model")
struct ModelCardTests {
    @Test(
        "The first line that is no heading says what the model knows",
        arguments: [
            ("everyday photos", "everyday photos"),
            ("# photos\n\neveryday photos, English.\n\nMore.\n", "everyday photos, English"),
            ("\u{FEFF}## a\r\n  \r\n\t日常照片 \r\n", "日常照片"),
        ])
    func knows(text: String, knows: String) throws {
        let card = try #require(ModelCard(text))
        #expect(card.knows == knows && card.text == text)
    }

    @Test(
        "A page without such a line, or with one that no terminal should see, is no card",
        arguments: [
            "", "\n \n", "# heading\n## another\n", ".", "photos\u{1B}[2J", "a\u{7}",
            String(repeating: "a", count: 201),
        ])
    func none(text: String) {
        #expect(ModelCard(text) == nil)
    }

    @Test("It is stored beside the weights, and the model stays the same")
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

    @Test("A file that is no card is an error that names it")
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
                #expect("\(try #require(error))".contains("card.md: is no card"))
            }
        }
    }
}
