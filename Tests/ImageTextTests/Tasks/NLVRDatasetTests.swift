import ImageText
import SystemPackage
import Testing

@Suite("NLVR2's annotations")
struct NLVRDatasetTests {
    @Test("Labels are texts or booleans, and images keep their order")
    func labels() async throws {
        let text = """
            [{"images": ["a.bmp", "sub/b"], "sentence": "p", "label": "True"},
             {"images": ["sub/b", "a"], "sentence": "q", "label": "False"},
             {"images": ["a", "a"], "sentence": "r", "label": true},
             {"images": ["a", "a"], "sentence": "s", "label": false},
             {"images": ["a", "a"], "sentence": "t", "label": "true"}]
            """
        let items = try await TaskFixtures.read(text) { file, _ in
            try NLVRDataset(reading: [file])
        }.items
        #expect(items.map(\.isTrue) == [true, false, true, false, true])
        #expect(items.map(\.label) == [1, 0, 1, 0, 1])
        #expect(items.map(\.sentence) == ["p", "q", "r", "s", "t"])
        #expect(items[0].images.map(\.name) == ["a.bmp", "b.bmp"])
        #expect(items[1].images.map(\.name) == ["b.bmp", "a.bmp"])
        #expect(items.map(\.entry) == ["[0]", "[1]", "[2]", "[3]", "[4]"])
    }

    @Test("An item is left out if either image is missing")
    func missing() async throws {
        let text = """
            {"images": ["a", "gone"], "sentence": "p", "label": "True"}
            {"images": ["gone", "a"], "sentence": "q", "label": "True"}
            {"images": ["a", "sub/b"], "sentence": "r", "label": "True"}
            """
        let some = try await TaskFixtures.read(text, named: "x.jsonl") { file, _ in
            try NLVRDataset(reading: [file], missing: .skipped)
        }
        #expect(some.items.map(\.entry) == ["line 3"] && some.missingCount == 2)
        await TaskFixtures.expectError("x.jsonl: line 1: the image ", text, named: "x.jsonl") {
            file, _ in try NLVRDataset(reading: [file])
        }
    }

    @Test(
        "Errors name the file, the record and the field",
        arguments: [
            (
                #"[{"images": ["a"], "sentence": "p", "label": "True"}]"#,
                "x.json: [0].images: needs two images, but has 1"
            ),
            (
                #"[{"images": ["a", "a", "a"], "sentence": "p", "label": "True"}]"#,
                "x.json: [0].images: needs two images, but has 3"
            ),
            (
                #"[{"images": ["a", ""], "sentence": "p", "label": "True"}]"#,
                "x.json: [0].images: contains an empty name"
            ),
            (
                #"[{"images": "a", "sentence": "p", "label": "True"}]"#, "x.json: [0].images: "
            ),
            (
                #"[{"images": ["a", 1], "sentence": "p", "label": "True"}]"#,
                "x.json: [0].images[1]: is not a string"
            ),
            (
                #"[{"images": ["a", "a"], "sentence": "", "label": "True"}]"#,
                "x.json: [0].sentence: is empty"
            ),
            (
                #"{"images": ["a", "a"], "sentence": "p", "label": "yes"}"#,
                "x.json:1: label: is 'yes'; a label is True or False"
            ),
            (
                #"[{"images": ["a", "a"], "sentence": "p", "label": 1}]"#,
                "x.json: [0].label: is not a string"
            ),
            (
                #"[{"images": ["a", "a"], "sentence": "p"}]"#, "x.json: [0].label: is missing"
            ),
        ])
    func errors(_ text: String, _ expected: String) async {
        await TaskFixtures.expectError(expected, text) { file, _ in
            try NLVRDataset(reading: [file])
        }
    }
}
