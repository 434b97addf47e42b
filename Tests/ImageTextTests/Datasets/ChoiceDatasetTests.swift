import ImageText
import SystemPackage
import Testing

@Suite("Choice items")
struct ChoiceDatasetTests {
    /// Reads a file beside some existing images.
    private func dataset(
        _ text: String, named name: String, images: [String] = ["a.jpg", "sub/b.jpg"],
        limit: Int = 0, missing: MissingImages = .refused
    ) async throws -> ChoiceDataset {
        try await DatasetFixtures.withFolder { folder in
            for image in images {
                try DatasetFixtures.write("", to: folder.pushing(FilePath(image)))
            }
            let file = try DatasetFixtures.write(text, to: folder.appending(name))
            return try ChoiceDataset(reading: [file], limit: limit, missing: missing)
        }
    }

    /// The content of items, without their folders.
    private func said(_ dataset: ChoiceDataset) -> [String] {
        dataset.items.map { item in
            let image = item.image.components.suffix(2).map(\.string).joined(separator: "/")
            let name = image.hasPrefix("sub/") ? image : item.image.lastComponent?.string ?? ""
            let box = item.box.map { " (\($0))" } ?? ""
            return "\(item.entry) \(name)\(box) \(item.kind): \(item.positives) \(item.negatives)"
        }
    }

    @Test(
        "Each format is recognised by its content",
        arguments: [
            (
                "swap_att.json",
                """
                {"10": {"filename": "sub/b.jpg", "caption": "c", "negative_caption": "n"},
                 "2": {"filename": "a.jpg", "caption": "red \\"cap\\"", "negative_caption": "blue"}}
                """,
                [
                    #"2 a.jpg swap_att: ["red \"cap\""] ["blue"]"#,
                    #"10 sub/b.jpg swap_att: ["c"] ["n"]"#,
                ], 1
            ),
            (
                "visual_genome_relation.json",
                """
                [{"image_id": 1, "image_path": "a.jpg", "bbox_x": 3, "bbox_y": 0, "bbox_w": 20.0,
                  "bbox_h": 7, "true_caption": "x on y", "false_caption": "y on x",
                  "relation_name": "on"},
                 {"image_path": "a.jpg", "true_caption": "p", "false_caption": "q",
                  "relation_name": "in"}]
                """,
                [
                    #"[0] a.jpg (3, 0, 20, 7) on: ["x on y"] ["y on x"]"#,
                    #"[1] a.jpg in: ["p"] ["q"]"#,
                ], 25
            ),
            (
                "visual_genome_attribution.json",
                """
                [{"image_path": "a.jpg", "bbox_x": 0, "bbox_y": 0, "bbox_w": 1, "bbox_h": 1,
                  "true_caption": "t", "false_caption": "f", "attributes": ["open", "white"]}]
                """, [#"[0] a.jpg (0, 0, 1, 1) open_white: ["t"] ["f"]"#], 25
            ),
            (
                "coco_order.json",
                """
                [{"image": "sub/b.jpg", "caption_options": ["right", "w1", "w2", "w3", "w4"]},
                 {"image_path": "a.jpg", "caption_options": ["right", "wrong"]}]
                """,
                [
                    #"[0] sub/b.jpg coco_order: ["right"] ["w1", "w2", "w3", "w4"]"#,
                    #"[1] a.jpg coco_order: ["right"] ["wrong"]"#,
                ], 1
            ),
            (
                "color.json",
                #"[["a.jpg", {"POS": ["white shirt"], "NEG": ["gray shirt", "red shirt"]}]]"#,
                [#"[0] a.jpg color: ["white shirt"] ["gray shirt", "red shirt"]"#], 1
            ),
            (
                "own.jsonl",
                """
                {"image": "a.jpg", "positives": ["p", "q"], "negatives": "n", "kind": "K"}

                {"negatives": ["n"], "positives": "狗", "image": "sub/../sub/b.jpg", "box": [0, 1, 2, 3]}
                """,
                [
                    #"line 1 a.jpg K: ["p", "q"] ["n"]"#,
                    #"line 3 sub/b.jpg (0, 1, 2, 3) own: ["狗"] ["n"]"#,
                ], 1
            ),
            (
                "own.json",
                "\u{FEFF} [{\"image\": \"a.jpg\", \"positives\": [\"\\ud83d\"], \"negatives\": [\"n\"]}]",
                ["[0] a.jpg own: [\"\u{FFFD}\"] [\"n\"]"], 1
            ),
        ])
    func forms(_ name: String, _ text: String, _ expected: [String], _ minimum: Int) async throws {
        let dataset = try await dataset(text, named: name)
        #expect(said(dataset) == expected)
        #expect(dataset.minimumKindSize == minimum)
        #expect(dataset.missingCount == 0)
    }

    @Test("VL-CheckList's corpus names annotations in the checkout and images in a folder")
    func corpus() async throws {
        try await DatasetFixtures.withFolder { folder in
            let yaml = """
                # colours
                ANNO_PATH: "vl-checklist/data/Attribute/vg/color.json"
                IMG_ROOT: 'vg/'
                TYPE: "TUPLE_JSON"\r
                """
            let corpus = folder.pushing("checkout/corpus/v1/Attribute/color")
            let files = try ["vg", "vaw"].map {
                try DatasetFixtures.write(yaml, to: corpus.appending("\($0).yaml"))
            }
            try DatasetFixtures.write(
                #"[["VG_100K/1.jpg", {"POS": ["p"], "NEG": ["n"]}]]"#,
                to: folder.pushing("checkout/data/Attribute/vg/color.json"))
            let image = folder.pushing("photos/vg/VG_100K/1.jpg")
            try DatasetFixtures.write("", to: image)
            let dataset = try ChoiceDataset(
                reading: files, imageRoot: folder.appending("photos"))
            #expect(dataset.items.map(\.image) == [image, image])
            #expect(dataset.items.map(\.kind) == ["Attribute/color/vg", "Attribute/color/vaw"])
            #expect(dataset.items[0].file.lastComponent == "color.json")

            for (text, message) in [
                ("ANNO_PATH: elsewhere/x.json", "ANNO_PATH: 'elsewhere/x.json' exists neither in"),
                ("IMG_ROOT: vg", "ANNO_PATH: is missing"),
                ("ANNO_PATH: a.json\nTYPE: CSV", "TYPE: is 'CSV'; only TUPLE_JSON is"),
            ] {
                let file = try DatasetFixtures.write(text, to: folder.appending("x.yaml"))
                #expect {
                    try ChoiceDataset(reading: [file])
                } throws: {
                    "\($0)".hasPrefix("\(file): \(message)")
                }
            }
        }
    }

    @Test("Kinds of files with equal names are distinguished by their folders")
    func kinds() async throws {
        try await DatasetFixtures.withFolder { folder in
            try DatasetFixtures.write("", to: folder.appending("a.jpg"))
            let item = #"[["a.jpg", {"POS": ["p"], "NEG": ["n"]}]]"#
            let files = try ["Attribute/vg/color.json", "Attribute/vaw/color.json", "size.json"].map
            {
                try DatasetFixtures.write(item, to: folder.pushing(FilePath($0)))
            }
            let dataset = try ChoiceDataset(reading: files, imageRoot: folder)
            #expect(dataset.items.map(\.kind) == ["vg/color", "vaw/color", "size"])
            // The same file twice is one kind.
            let twice = try ChoiceDataset(reading: [files[2], files[2]], imageRoot: folder)
            #expect(twice.items.map(\.kind) == ["size", "size"])
            var rest = dataset
            #expect(rest.remove(kinds: ["vg/color", "size", "nothing"]) == 2)
            #expect(rest.items.map(\.kind) == ["vaw/color"])
        }
    }

    @Test("A missing image is an error that names the item, or the item is left out")
    func missing() async throws {
        let text = """
            {"0": {"filename": "a.jpg", "caption": "c", "negative_caption": "n"},
             "4": {"filename": "b.jpg", "caption": "c", "negative_caption": "n"},
             "7": {"filename": "a.jpg", "caption": "d", "negative_caption": "n"},
             "9": {"filename": "gone.jpg", "caption": "d", "negative_caption": "n"}}
            """
        await #expect {
            try await dataset(text, named: "x.json", images: ["a.jpg"])
        } throws: {
            let words = "\($0)"
            return words.contains("/x.json: 4: the image ")
                && words.contains("/b.jpg does not exist; 2 of 4")
        }
        let some = try await dataset(text, named: "x.json", images: ["a.jpg"], missing: .skipped)
        #expect(some.items.map(\.entry) == ["0", "7"] && some.missingCount == 2)
        let none = try await dataset(text, named: "x.json", images: [], missing: .skipped)
        #expect(none.items.isEmpty && none.missingCount == 4)
        // With a limit, only the first items need their images; skipped items do not count.
        let first = try await dataset(text, named: "x.json", images: ["a.jpg"], limit: 1)
        #expect(first.items.map(\.entry) == ["0"])
        let two = try await dataset(
            text, named: "x.json", images: ["a.jpg"], limit: 2, missing: .skipped)
        #expect(two.items.map(\.entry) == ["0", "7"] && two.missingCount == 1)
        await #expect(throws: DatasetError.self) {
            try await dataset(text, named: "x.json", images: ["a.jpg"], limit: 2)
        }
    }

    @Test(
        "Errors name the file, the item and the field",
        arguments: [
            ("a.json", " \n", "a.json: is empty"),
            ("a.json", "[]", "a.json: has no items"),
            ("a.json", "{}", "a.json: has no items"),
            ("a.parquet", "PAR1\0\0PAR1", "a.parquet: Parquet files are not supported"),
            ("a.txt", "hello: you", "a.txt: is not a supported annotation file"),
            ("a.json", "{\n\"images\": []\n}", "a.json: is not a supported annotation file"),
            (
                "a.json", #"{"0": {"filename": "a.jpg", "negative_caption": "n"}}"#,
                "a.json: [0].caption: is missing"
            ),
            (
                "a.json", #"{"7": {"filename": "a.jpg", "caption": " ", "negative_caption": "n"}}"#,
                "a.json: [7].caption: contains a blank text"
            ),
            (
                "a.json", #"{"7": {"caption": "c", "negative_caption": "n"}}"#,
                "a.json: [7].image: is missing"
            ),
            (
                "a.json", #"[{"image_path": "", "true_caption": "t", "false_caption": "f"}]"#,
                "a.json: [0].image_path: it is empty"
            ),
            (
                "a.json", #"[{"image_path": "a.jpg", "true_caption": "t"}]"#,
                "a.json: [0].false_caption: is missing"
            ),
            (
                "a.json",
                #"[{"image_path": "a.jpg", "true_caption": "t", "false_caption": "f", "bbox_x": 1}]"#,
                "a.json: [0].bbox_y: is missing"
            ),
            (
                "a.json",
                #"[{"image": "a.jpg", "true_caption": "t", "false_caption": "f", "bbox_x": 1, "bbox_y": 1, "bbox_w": 0, "bbox_h": 9}]"#,
                "a.json: [0].bbox_w: the box 1.0, 1.0, 0.0, 9.0 is not a region of an image"
            ),
            (
                "a.json", #"[{"image": "a.jpg", "caption_options": ["one"]}]"#,
                "a.json: [0].caption_options: has one text, but needs at least two"
            ),
            (
                "a.json", #"[["a.jpg", {"POS": [], "NEG": ["n"]}]]"#,
                "a.json: [0][1].POS: has no text"
            ),
            (
                "a.json", #"[["a.jpg", {"POS": ["p"]}]]"#, "a.json: [0][1].NEG: is missing"
            ),
            ("a.json", #"[["a.jpg"]]"#, "a.json: [0]"),
            (
                "a.json", #"[{"image": "a.jpg", "caption": "c"}]"#,
                "a.json: [0].positives: is missing; evaluate captions without wrong alternatives with"
            ),
            (
                "a.jsonl", #"{"image_0": "a", "image": "a.jpg"}"#,
                "a.jsonl:1: positives: is missing; evaluate pairs of images with 'albef evaluate pairs'"
            ),
            (
                "a.jsonl", "\n" + #"{"image": "a.jpg", "positives": ["p"], "negatives": 3}"#,
                "a.jsonl:2: negatives: is neither a string nor a list of strings"
            ),
            (
                "a.jsonl",
                #"{"image": "a.jpg", "positives": "p", "negatives": "n", "box": [1, 2]}"#,
                "a.jsonl:1: box: has 2 numbers, but needs four: [x, y, width, height]"
            ),
            (
                "a.jsonl",
                #"{"image": "a.jpg", "positives": "p", "negatives": "n", "box": [1, 2, 1e999, 1]}"#,
                "a.jsonl:1: "
            ),
            (
                "a.jsonl", #"{"image": "a.jpg", "positives": "p", "negatives": "n"}"# + "\n{",
                "a.jsonl:2: is not JSON"
            ),
        ])
    func errors(_ name: String, _ text: String, _ expected: String) async throws {
        await #expect {
            try await dataset(text, named: name)
        } throws: {
            $0 is DatasetError && "\($0)".contains("/" + expected)
        }
    }

    @Test(
        "Chance is that of a random order, for any number of texts",
        arguments: [(1, 1, 2.0), (1, 4, 5), (2, 1, 3), (2, 2, 6), (3, 2, 10)])
    func chance(positives: Int, negatives: Int, orders: Double) {
        #expect(abs(item(positives, negatives).chance - 1 / orders) < 1e-12)
        #expect(item(2000, 2000).chance >= 0)
    }

    private func item(_ positives: Int, _ negatives: Int) -> ChoiceItem {
        ChoiceItem(
            image: "a", positives: Array(repeating: "p", count: positives),
            negatives: Array(repeating: "n", count: negatives), kind: "")
    }
}
