import ImageText
import SystemPackage
import Testing

@Suite("Visual entailment's annotations")
struct EntailmentDatasetTests {
    @Test("Labels have the classes of the original's head")
    func classes() {
        #expect(EntailmentLabel.allCases.map(\.rawValue) == [0, 1, 2])
        #expect(
            EntailmentLabel.allCases.map(\.name) == ["contradiction", "neutral", "entailment"])
        #expect(EntailmentLabel(name: "entailment") == .entailment)
        #expect(EntailmentLabel(name: "Entailment") == nil)
    }

    @Test(
        "A list and JSON Lines yield the same items; names of images may lack their extension",
        arguments: [
            (
                "ve_train.json",
                """
                [{"image": "4705552913", "sentence": "Two \\"x\\".", "label": "neutral"},
                 {"image": 4705552913, "sentence": "q", "label": "entailment", "more": [1]},
                 {"image": "sub/../sub/b.bmp", "sentence": "狗", "label": "contradiction"}]
                """, ["[0]", "[1]", "[2]"]
            ),
            (
                "ve.jsonl",
                """
                {"image": "4705552913.jpg", "sentence": "Two \\"x\\".", "label": "neutral"}

                {"image": "4705552913", "sentence": "q", "label": "entailment"}
                {"image": "sub/b", "sentence": "狗", "label": "contradiction"}
                """, ["line 1", "line 3", "line 4"]
            ),
        ])
    func forms(_ name: String, _ text: String, _ entries: [String]) async throws {
        let dataset = try await TaskFixtures.read(text, named: name) { file, _ in
            try EntailmentDataset(reading: [file])
        }
        #expect(dataset.items.map(\.image.name) == ["4705552913.jpg", "4705552913.jpg", "b.bmp"])
        #expect(dataset.items.map(\.sentence) == ["Two \"x\".", "q", "狗"])
        #expect(dataset.items.map(\.label) == [.neutral, .entailment, .contradiction])
        #expect(dataset.items.map(\.entry) == entries)
        #expect(dataset.items.allSatisfy { $0.file.name == name })
        #expect(dataset.missingCount == 0)
    }

    @Test("Images are in the named folder, and a limit counts for each file")
    func folder() async throws {
        let text = """
            [{"image": "b.bmp", "sentence": "p", "label": "neutral"},
             {"image": "b", "sentence": "q", "label": "neutral"},
             {"image": "b", "sentence": "r", "label": "neutral"}]
            """
        let dataset = try await TaskFixtures.read(text) { file, folder in
            try EntailmentDataset(
                reading: [file, file], imageRoot: folder.appending("sub"), limit: 2)
        }
        #expect(dataset.items.map(\.sentence) == ["p", "q", "p", "q"])
    }

    @Test("An item with a missing image is an error, or is left out")
    func missing() async throws {
        let text = """
            [{"image": "a", "sentence": "p", "label": "neutral"},
             {"image": "gone", "sentence": "q", "label": "neutral"}]
            """
        await TaskFixtures.expectError("x.json: [1]: the image ", text) { file, _ in
            try EntailmentDataset(reading: [file])
        }
        let some = try await TaskFixtures.read(text) { file, _ in
            try EntailmentDataset(reading: [file], missing: .skipped)
        }
        #expect(some.items.map(\.entry) == ["[0]"] && some.missingCount == 1)
    }

    @Test(
        "Errors name the file, the record and the field",
        arguments: [
            ("x.json", " \n", "x.json: is empty"),
            ("x.json", "[]", "x.json: has no records"),
            (
                "x.json", "image,sentence,label\n",
                "x.json: is not a supported annotation file (a JSON list of records, or one record"
                    + " per line, with image, sentence and label)"
            ),
            ("x.json", "{\n\"data\": []\n}", "x.json: is not a supported annotation file"),
            (
                "x.json",
                """
                [{"image": "a", "sentence": "p", "label": "neutral"},
                 {"image": "a", "sentence": "p", "label": "maybe"}]
                """,
                "x.json: [1].label: is 'maybe'; a label is contradiction, neutral or entailment"
            ),
            (
                "x.json", #"[{"image": "a", "sentence": "p"}]"#, "x.json: [0].label: is missing"
            ),
            (
                "x.jsonl",
                """
                {"image": "a", "sentence": "p", "label": "neutral"}
                {"image": "a", "sentence": " ", "label": "neutral"}
                """, "x.jsonl:2: sentence: is empty"
            ),
            (
                "x.jsonl", #"{"image": "", "sentence": "p", "label": "neutral"}"#,
                "x.jsonl:1: image: is empty"
            ),
            (
                "x.json", #"[{"image": ["a"], "sentence": "p", "label": "neutral"}]"#,
                "x.json: [0].image: is neither an integer nor a string"
            ),
            (
                "x.json", "[{\"image\": \"a\",\n \"sentence\" \"p\"}]", "x.json:2: is not JSON: "
            ),
        ])
    func errors(_ name: String, _ text: String, _ expected: String) async {
        await TaskFixtures.expectError(expected, text, named: name) { file, _ in
            try EntailmentDataset(reading: [file])
        }
    }

    @Test("A file that does not exist is named")
    func unreadable() {
        #expect {
            try EntailmentDataset(reading: ["/nowhere/ve.json"])
        } throws: {
            "\($0)".hasPrefix("/nowhere/ve.json: cannot be read: ")
        }
    }
}
