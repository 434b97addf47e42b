import ImageText
import SystemPackage
import Testing

@Suite("Pairs of images and captions")
struct PairDatasetTests {
    private let images = [
        "ex_0_img_0.png", "ex_0_img_1.jpg", "images/x.v2.png", "images/y.webp", "plain",
        "plain.png",
    ]

    private func dataset(
        _ text: String, named name: String, missing: MissingImages = .refused
    ) async throws -> PairDataset {
        try await DatasetFixtures.withFolder { folder in
            for image in images {
                try DatasetFixtures.write("", to: folder.pushing(FilePath(image)))
            }
            let file = try DatasetFixtures.write(text, to: folder.appending(name))
            return try PairDataset(reading: [file], missing: missing)
        }
    }

    @Test(
        "Each format yields the same pairs; image names may lack their extension",
        arguments: [
            (
                "examples.jsonl",
                """
                {"id": 0, "image_0": "ex_0_img_0", "image_1": "ex_0_img_1", "caption_0": "an old \\"x\\"", "caption_1": "a young, y", "tag": "Adjective-Age", "secondary_tag": "", "num_main_preds": 1, "collapsed_tag": "Object"}

                {"id": "b", "image_0": "images/x.v2", "image_1": "images/y.webp", "caption_0": "p", "caption_1": "q", "tag": null}
                """, ["line 1", "line 3"]
            ),
            (
                "examples.json",
                """
                [{"id": 0, "image_0": "ex_0_img_0", "image_1": "ex_0_img_1", "caption_0": "an old \\"x\\"", "caption_1": "a young, y", "tag": "Adjective-Age", "num_main_preds": "1", "collapsed_tag": "Object"},
                 {"id": "b", "image_0": "./images/x.v2.png", "image_1": "images/y", "caption_0": "p", "caption_1": "q"}]
                """, ["[0]", "[1]"]
            ),
            (
                "meta.csv",
                #"""
                \#u{FEFF},ID,image_0,image_1,caption_0,caption_1,tag,secondary_tag,num_main_preds,collapsed_tag
                0,0,ex_0_img_0,ex_0_img_1,"an old ""x""","a young, y",Adjective-Age,,1,Object\#r
                1,b,images/x.v2,images/y,p,q,,,,
                """#, ["line 2", "line 3"]
            ),
            (
                "meta.tsv",
                "caption_0\tcaption_1\timage_0\timage_1\tid\ttag\tcollapsed_tag\tnum_main_preds\n"
                    + "an old \"x\"\ta young, y\tex_0_img_0\tex_0_img_1\t0\tAdjective-Age\tObject\t1\n"
                    + "p\tq\timages/x.v2\timages/y\tb\t\t\t\n", ["line 2", "line 3"]
            ),
        ])
    func forms(_ name: String, _ text: String, _ entries: [String]) async throws {
        let items = try await dataset(text, named: name).items
        #expect(items.map(\.id) == ["0", "b"])
        #expect(items.map(\.entry) == entries)
        #expect(items.map(\.captions) == [["an old \"x\"", "a young, y"], ["p", "q"]])
        #expect(
            items.map { $0.images.map { $0.lastComponent?.string } } == [
                ["ex_0_img_0.png", "ex_0_img_1.jpg"], ["x.v2.png", "y.webp"],
            ])
        #expect(
            items[0].tags == [
                .detailed: "Adjective-Age", .mainPredicates: "1", .collapsed: "Object",
            ])
        #expect(items[1].tags.isEmpty)
    }

    @Test("A file with the exact name takes precedence over one with an extension")
    func exactName() async throws {
        let text =
            #"{"image_0": "plain", "image_1": "plain.png", "caption_0": "p", "caption_1": "q"}"#
        let items = try await dataset(text, named: "x.jsonl").items
        #expect(items[0].images.map { $0.lastComponent?.string } == ["plain", "plain.png"])
        #expect(items[0].id == "line 1")
    }

    @Test("A pair with a missing image is an error, or is left out")
    func missing() async throws {
        let text = """
            {"image_0": "plain", "image_1": "gone", "caption_0": "p", "caption_1": "q"}
            {"image_0": "plain", "image_1": "plain", "caption_0": "p", "caption_1": "q"}
            """
        await #expect {
            try await dataset(text, named: "x.jsonl")
        } throws: {
            let words = "\($0)"
            return words.contains("/x.jsonl: line 1: the image ")
                && words.contains("/gone does not exist; 1 of 2 items lack an image")
        }
        let some = try await dataset(text, named: "x.jsonl", missing: .skipped)
        #expect(some.items.map(\.entry) == ["line 2"] && some.missingCount == 1)
    }

    @Test(
        "Errors name the file, the line and the field",
        arguments: [
            ("a.jsonl", "\n", "a.jsonl: is empty"),
            ("a.json", "[]", "a.json: has no pairs"),
            ("a.parquet", "PAR1....", "a.parquet: Parquet files are not supported; use"),
            (
                "a.jsonl", #"{"image_0": "plain", "image_1": "plain", "caption_0": "p"}"#,
                "a.jsonl:1: caption_1: is missing"
            ),
            (
                "a.jsonl",
                #"{"image_0": "plain", "image_1": "", "caption_0": "p", "caption_1": "q"}"#,
                "a.jsonl:1: image_1: is empty"
            ),
            (
                "a.json",
                #"[{"image_0": "plain", "image_1": 4, "caption_0": "p", "caption_1": "q"}]"#,
                "a.json: [0].image_1: is not a string"
            ),
            (
                "a.json",
                #"[{"id": [1], "image_0": "plain", "image_1": "plain", "caption_0": "p", "caption_1": "q"}]"#,
                "a.json: [0].id: is not a string"
            ),
            ("a.json", "{\n\"pairs\": 1\n}", "a.json: is not a supported annotation file"),
            ("a.csv", "image,caption\na,b\n", "a.csv: is not a supported annotation file"),
            (
                "a.csv", "id,image_0,image_1,caption_0\n0,a,b,c\n",
                "a.csv:1: caption_1: no column has this name; the columns are: id, image_0, image_1"
            ),
            (
                "a.csv", "image_0,image_1,caption_0,caption_1\nplain,plain,p\n",
                "a.csv:2: has 3 fields, but the header has 4"
            ),
            (
                "a.csv", "image_0,image_1,caption_0,caption_1\nplain,plain,p,\n",
                "a.csv:2: caption_1: is empty"
            ),
            (
                "a.csv", "image_0,image_1,caption_0,caption_1\nplain,plain,p,\"q\n",
                "a.csv:2: a quote is not closed"
            ),
        ])
    func errors(_ name: String, _ text: String, _ expected: String) async throws {
        await #expect {
            try await dataset(text, named: name)
        } throws: {
            $0 is DatasetError && "\($0)".contains("/" + expected)
        }
    }
}
