import ImageText
import SystemPackage
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("Annotations")
struct AnnotationTests {
    private func images(
        _ text: String, named name: String, root: FilePath? = nil, splits: Set<String> = []
    ) async throws -> [CaptionedImage] {
        try await DatasetFixtures.withFolder { folder in
            let file = try DatasetFixtures.write(text, to: folder.appending(name))
            let dataset = try CaptionDataset.read(file, imageRoot: root, splits: splits)
            return dataset.images.map { image in
                var image = image
                _ = image.path.removePrefix(folder)
                return image
            }
        }
    }

    /// The content of all texts below.
    static let expected = [
        CaptionedImage(path: "a.jpg", captions: ["one, \"1\"", "two"], id: 0),
        CaptionedImage(path: "sub/b.jpg", captions: ["三"], id: 1),
    ]

    @Test(
        "Each format yields the same images",
        arguments: [
            (
                "list.json",
                """
                 [{"image": "a.jpg", "caption": ["one, \\"1\\"", "two"]},
                 {"image": "sub/b.jpg", "caption": "三"}]
                """
            ),
            (
                "rows.json",
                """
                [{"image": "a.jpg", "caption": "one, \\"1\\"", "image_id": "x", "extra": [1]},
                 {"image": "sub/../sub/b.jpg", "caption": "三", "image_id": 7},
                 {"image": "./a.jpg", "caption": "two", "image_id": "x"}]
                """
            ),
            (
                "lines.jsonl",
                """
                {"image": "a.jpg", "caption": "one, \\"1\\""}\r

                {"caption": "two", "image": "a.jpg"}
                {"image": "sub/b.jpg", "caption": ["三"]}
                """
            ),
            (
                "coco.json",
                """
                {"info": {}, "images": [{"id": 5, "file_name": "a.jpg", "width": 4},
                 {"id": 3, "file_name": "sub/b.jpg"}],
                 "annotations": [{"id": 1, "image_id": 5, "caption": "one, \\"1\\""},
                 {"id": 2, "image_id": 3, "caption": "三"},
                 {"id": 3, "image_id": 5, "caption": "two"}]}
                """
            ),
            (
                "karpathy.json",
                """
                {"images": [{"filename": "a.jpg", "split": "train", "imgid": 0,
                 "sentences": [{"raw": "one, \\"1\\"", "tokens": ["one"]}, {"raw": "two"}]},
                 {"filepath": "sub", "filename": "b.jpg", "split": "val",
                 "sentences": [{"raw": "三"}]}], "dataset": "small"}
                """
            ),
            (
                "table.csv",
                "\u{FEFF}title,Image,score\n\"one, \"\"1\"\"\",a.jpg,3\r\ntwo,a.jpg,\r\n三,sub/b.jpg,1"
            ),
            (
                "metadata.jsonl",
                """
                {"file_name": "a.jpg", "text": "one, \\"1\\""}
                {"file_name": "a.jpg", "text": "two"}
                {"file_name": "sub/b.jpg", "text": "三"}
                """
            ),
            (
                "spreadsheet.csv",
                "\u{FEFF}image;caption\r\na.jpg;\"one, \"\"1\"\"\"\r\na.jpg;two\r\n"
                    + "sub/b.jpg;三\r\n"
            ),
            (
                "commas, in a header.csv",
                "image;caption;\"size, in pixels\"\na.jpg;\"one, \"\"1\"\"\";1\na.jpg;two;2\n"
                    + "sub/b.jpg;三;3"
            ),
            (
                "table.tsv",
                "filepath\tcaption\na.jpg\t\"one, \"\"1\"\"\"\n\na.jpg\ttwo\nsub/b.jpg\t三\n"
            ),
        ])
    func formats(_ name: String, _ text: String) async throws {
        #expect(try await images(text, named: name) == Self.expected)
    }

    @Test("The caller can name the columns")
    func columns() async throws {
        let columns = CaptionColumns(image: "Photo", caption: "name")
        let table = "id;photo;name;text\n1;a.jpg;A dog, red;x\n"
        let lines = #"{"Photo": "a.jpg", "name": "A dog, red", "text": "x", "image": "b"}"#
        for (name, text) in [
            ("shop.csv", table), ("shop.jsonl", lines), ("shop.json", "[\(lines)]"),
        ] {
            try await DatasetFixtures.withFolder { folder in
                let file = try DatasetFixtures.write(text, to: folder.appending(name))
                let images = try CaptionDataset(reading: [file], columns: columns).images
                #expect(images.map(\.path) == [folder.appending("a.jpg")])
                #expect(images.first?.captions == ["A dog, red"])
            }
        }
        try await DatasetFixtures.withFolder { folder in
            let file = try DatasetFixtures.write("file;words\na;b\n", to: folder.appending("t.csv"))
            #expect {
                try CaptionDataset(reading: [file], columns: columns)
            } throws: {
                "\($0)".hasSuffix(
                    "t.csv:1: image: no column is named Photo; the columns are: file, words")
            }
        }
    }

    @Test("Names with different bytes are different images, even if they look alike")
    func normalisation() async throws {
        let names = ["caf\u{e9}.jpg", "cafe\u{301}.jpg"]
        let rows = names.map { #"{"image": "\#($0)", "caption": "\#($0.utf8.count)"}"# }
        let coco = """
            {"images": [{"id": "\u{e9}", "file_name": "\(names[0])"},
             {"id": "e\u{301}", "file_name": "\(names[1])"}],
             "annotations": [{"image_id": "\u{e9}", "caption": "9"},
             {"image_id": "e\u{301}", "caption": "10"}]}
            """
        for (name, text) in [
            ("a.json", "[\(rows.joined(separator: ","))]"),
            ("b.jsonl", rows.joined(separator: "\n")),
            ("c.csv", "image,caption\n\(names[0]),9\n\(names[1]),10\n"), ("d.json", coco),
        ] {
            let images = try await images(text, named: name)
            #expect(images.map(\.captions) == [["9"], ["10"]], "\(name)")
            #expect(images.map(\.id) == [0, 1], "\(name)")
            #expect(images.map { Array($0.path.string.utf8) } == names.map { Array($0.utf8) })
        }
    }

    @Test("An unpaired surrogate, as Python writes it, is read as U+FFFD")
    func surrogates() async throws {
        for (written, read) in [
            (#"a \ud83d"#, "a \u{FFFD}"), (#"\uDE00 b"#, "\u{FFFD} b"),
            (#"\ud83d\ude00"#, "\u{1F600}"), (#"\ud83d\ud83d\ude00"#, "\u{FFFD}\u{1F600}"),
            (#"\\ud83d"#, #"\ud83d"#), (#"\ud83dx\u00e9\n"#, "\u{FFFD}xé\n"),
        ] {
            let entry = #"{"image": "a.jpg", "caption": "\#(written)"}"#
            for (name, text) in [("a.json", "[\(entry)]"), ("a.jsonl", entry)] {
                let images = try await images(text, named: name)
                #expect(images.first?.captions == [read], "\(written)")
            }
        }
    }

    @Test("A folder of images with text files is read")
    func folder() async throws {
        try await DatasetFixtures.withFolder { folder in
            for name in ["b/2.png", "b/1.JPG", "a.jpg", "c.jpg"] {
                try DatasetFixtures.write("", to: folder.pushing(FilePath(name)))
            }
            try DatasetFixtures.write("one\r\n\n two \n", to: folder.appending("a.txt"))
            try DatasetFixtures.write("\u{FEFF}three", to: folder.pushing("b/1.txt"))
            try DatasetFixtures.write("four", to: folder.pushing("b/2.txt"))
            try DatasetFixtures.write("about", to: folder.appending("README.txt"))
            let images = try CaptionDataset.read(folder).images
            #expect(
                images == [
                    .init(path: folder.appending("a.jpg"), captions: ["one", " two "], id: 0),
                    .init(path: folder.pushing("b/1.JPG"), captions: ["three"], id: 1),
                    .init(path: folder.pushing("b/2.png"), captions: ["four"], id: 2),
                    .init(path: folder.appending("c.jpg"), captions: [], id: 3),
                ])
        }
    }

    @Test("Quoted fields can span lines, which are still counted")
    func quotedLines() async throws {
        let text = "image,caption\na.jpg,\"two\nlines\"\nb.jpg,x,y\n"
        await #expect {
            try await images(text, named: "table.csv")
        } throws: {
            "\($0)".hasSuffix("table.csv:4: has 3 fields, but the header has 2")
        }
        let image = try await images("image,caption\na.jpg,\"two\nlines\"", named: "table.csv")
        #expect(image.first?.captions == ["two\nlines"])
    }

    @Test("An image_id joins differently named files within its annotation file")
    func imageIDs() async throws {
        try await DatasetFixtures.withFolder { folder in
            let rows = """
                {"image": "NAME1.jpg", "caption": "x", "image_id": 1}
                {"image": "NAME2.jpg", "caption": "y", "image_id": 1}
                {"image": "NAME3.jpg", "caption": "z"}
                {"image": "shared.jpg", "caption": "NAME", "image_id": 1}
                """
            let files = try ["a", "b"].map { name in
                try DatasetFixtures.write(
                    rows.split(separator: "NAME", omittingEmptySubsequences: false)
                        .joined(separator: name), to: folder.appending("\(name).jsonl"))
            }
            let dataset = try CaptionDataset(reading: files, imageRoot: "/photos")
            #expect(
                dataset.images.map(\.path) == [
                    "/photos/a1.jpg", "/photos/a2.jpg", "/photos/a3.jpg", "/photos/shared.jpg",
                    "/photos/b1.jpg", "/photos/b2.jpg", "/photos/b3.jpg",
                ])
            #expect(dataset.images.map(\.id) == [0, 0, 1, 0, 2, 2, 3])
            #expect(dataset.images[3].captions == ["a", "b"])
            #expect(dataset.captionCount == 8)
        }
    }

    @Test("Splits are selected if the format has them")
    func splits() async throws {
        let karpathy = """
            {"images": [{"filename": "a.jpg", "split": "train", "sentences": []},
             {"filename": "b.jpg", "split": "restval", "sentences": []},
             {"filename": "c.jpg", "split": "test", "sentences": []}]}
            """
        let table = "path,text,split\na.jpg,x,train\nb.jpg,x,restval\nc.jpg,x,test\n"
        for (name, text) in [("karpathy.json", karpathy), ("table.csv", table)] {
            let chosen = try await images(text, named: name, splits: ["train", "restval"])
            #expect(chosen.map(\.path) == ["a.jpg", "b.jpg"])
            await #expect {
                try await images(text, named: name, splits: ["dev"])
            } throws: {
                "\($0)".hasSuffix(
                    "has no entries of split dev; its splits are: restval, test, train")
            }
        }
        let lines = #"{"image": "a.jpg", "caption": "x"}"#
        await #expect(throws: DatasetError.self) {
            try await images(lines, named: "lines.jsonl", splits: ["train"])
        }
    }

    @Test(
        "Errors name the file, the place and the field",
        arguments: [
            (
                "a.json", #"[{"image": "a.jpg", "caption": "x"}, {"image": "b.jpg"}]"#,
                "a.json: [1].caption: is missing"
            ),
            ("a.json", #"[{"image": 3, "caption": "x"}]"#, "a.json: [0].image: is not a string"),
            ("a.json", #"[{"image": "", "caption": "x"}]"#, "a.json: [0].image: is empty"),
            (
                "a.json", #"[{"image": "a", "caption": ["x", 3]}]"#,
                "a.json: [0].caption: is neither a string nor a list of strings"
            ),
            (
                "a.json", #"[{"image": "a", "caption": "x", "image_id": 1.5}]"#,
                "a.json: [0].image_id: is neither an integer nor a string"
            ),
            ("a.jsonl", "\n{\"image\": null, \"caption\": \"x\"}", "a.jsonl:2: image: is null"),
            (
                "a.json", #"{"images": [{"id": 1}], "annotations": []}"#,
                "a.json: images[0].file_name: is missing"
            ),
            (
                "a.json", #"{"images": [], "annotations": [{"image_id": 1, "caption": ""}]}"#,
                "a.json: annotations[0].image_id: is not the id of any image in the file"
            ),
            (
                "a.json", #"{"images": [{"filename": "a"}]}"#,
                "a.json: images[0].sentences: is missing"
            ),
            (
                "a.csv", "image,words\na,b\n",
                "a.csv:1: caption: no column is named caption, title, text; the columns are: image, words"
            ),
            ("a.csv", "image,caption\na,\"b\n", "a.csv:2: a quote is not closed"),
            ("a.csv", "image,caption\na,\"b\"c\n", "a.csv:2: text follows a closing quote"),
            ("a.csv", "image,caption\n,b\n", "a.csv:2: image: is empty"),
            ("a.csv", " \n", "a.csv: is empty"),
        ])
    func errors(_ name: String, _ text: String, _ expected: String) async throws {
        await #expect {
            try await images(text, named: name)
        } throws: {
            $0 is DatasetError && "\($0)".hasSuffix("/" + expected)
        }
    }

    @Test("Invalid JSON is reported with its line")
    func syntax() async throws {
        let texts = [
            ("a.json", "[{\"image\": \"a.jpg\",\n \"caption\": x}]"),
            ("a.jsonl", "{\"image\": \"a.jpg\", \"caption\": \"\"}\n{\"image\"\n"),
        ]
        for (name, text) in texts {
            await #expect {
                try await images(text, named: name)
            } throws: {
                "\($0)".contains("/\(name):2: is not JSON: ")
            }
        }
    }

    @Test("JSON that is nested without end is an error", arguments: ["a.json", "a.jsonl"])
    func nesting(_ name: String) async throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        for text in [deep, "{\"image\": \"a.jpg\", \"caption\": \(deep)}"] {
            await #expect {
                try await images(text, named: name)
            } throws: {
                "\($0)".contains("/\(name):1: is not JSON: ")
            }
        }
    }

    @Test("Missing files, unknown formats and invalid UTF-8 are errors")
    func unreadable() async throws {
        try await DatasetFixtures.withFolder { folder in
            let missing = folder.appending("missing.json")
            #expect {
                try CaptionDataset.read(missing)
            } throws: {
                "\($0)".hasPrefix("\(missing): cannot be read: No such file")
            }
            #expect {
                try CaptionDataset.read(folder)
            } throws: {
                "\($0)" == "\(folder): contains no images"
            }
            let note = try DatasetFixtures.write("a note\n", to: folder.appending("note.md"))
            #expect {
                try CaptionDataset.read(note)
            } throws: {
                "\($0)".contains("is not a supported annotation file")
                    && "\($0)".hasSuffix("read as a table, its columns are: a note")
            }
            let pipe = folder.appending("pipe.json")
            #expect(pipe.withPlatformString { mkfifo($0, 0o600) } == 0)
            #expect {
                try CaptionDataset.read(pipe)
            } throws: {
                "\($0)" == "\(pipe): cannot be read: it is not a regular file"
            }
            let wide = try DatasetFixtures.write(
                [0xFF, 0xFE] + "image".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] },
                to: folder.appending("wide.csv"))
            #expect {
                try CaptionDataset.read(wide)
            } throws: {
                "\($0)".contains("it is UTF-16 text")
            }
            let latin = try DatasetFixtures.write(
                Array("image,caption\na.jpg,caf".utf8) + [0xE9], to: folder.appending("l.csv"))
            #expect {
                try CaptionDataset.read(latin)
            } throws: {
                "\($0)" == "\(latin):2: caption: is not UTF-8"
            }
        }
    }
}
