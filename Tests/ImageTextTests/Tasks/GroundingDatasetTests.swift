import ImageText
import SystemPackage
import Testing

@Suite("Grounding's annotations")
struct GroundingDatasetTests {
    private static let coco = "COCO_train2014_000000000042.jpg"

    private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) throws
        -> BoundingBox
    {
        try #require(BoundingBox(x: x, y: y, width: width, height: height))
    }

    @Test("Records have texts, boxes, proposals and the sizes of their images")
    func forms() async throws {
        let text = """
            [{"image": "\(Self.coco)", "text": "man in blue", "bbox": [0.5, 1, 3.25, 7],
              "ref_id": 34, "split": "testA"},
             {"image": "a", "text": ["left", "right"], "bbox": [0, 0, 8, 8], "image_id": "other"}]
            """
        let detected = """
            {"42": [[1, 2, 3, 4], [0, 0, 8.5, 8, 0.75, "person"]], "other": [],
             "unused": [[0, 0, 99, 99]]}
            """
        let items = try await TaskFixtures.read(text) { file, folder in
            let proposals = try DatasetFixtures.write(detected, to: folder.appending("dets.json"))
            return try GroundingDataset(
                reading: [file], proposals: BoxProposals(reading: proposals))
        }.items
        #expect(items.map(\.text) == ["man in blue", "left", "right"])
        #expect(items.map(\.image.name) == [Self.coco, "a.bmp", "a.bmp"])
        #expect(items.map(\.imageWidth) == [8, 8, 8] && items.map(\.imageHeight) == [8, 8, 8])
        #expect(items[0].box == (try box(0.5, 1, 3.25, 7)))
        #expect(items[0].box.area == 22.75)
        #expect(items[0].proposals == [try box(1, 2, 3, 4), try box(0, 0, 8.5, 8)])
        #expect(items[1].proposals.isEmpty && items[2].proposals.isEmpty)
        #expect(items.map(\.id) == [.number(34), nil, nil])
        #expect(items.map(\.split) == ["testA", nil, nil])
        #expect(items.map(\.entry) == ["[0]", "[1]", "[1]"])
    }

    @Test("An image's proposals are found by its number, its name or the end of its name")
    func keys() throws {
        let proposals = BoxProposals(boxes: ["42": [], "a": [], "sub/b.jpg": [], "0": []])
        #expect(proposals.key(ofImage: "x/\(Self.coco)", id: nil) == "42")
        #expect(proposals.key(ofImage: "x/a.png", id: nil) == "a")
        #expect(proposals.key(ofImage: "sub/b.jpg", id: nil) == "sub/b.jpg")
        #expect(proposals.key(ofImage: "a.png", id: .number(42)) == "42")
        #expect(proposals.key(ofImage: "a.png", id: .text("sub/b.jpg")) == "sub/b.jpg")
        #expect(proposals.key(ofImage: "a.png", id: .number(1)) == nil)
        #expect(proposals.key(ofImage: "photo-43.jpg", id: nil) == nil)
    }

    @Test("The original's training records are captions, without boxes")
    func training() async throws {
        let text = """
            [{"image": "sub/b.bmp", "text": "man in blue", "ref_id": 3, "bbox": [0, 0, 0, 0]},
             {"image": "a.bmp", "text": ["left", "right"]},
             {"image": "sub/b.bmp", "text": "the other man"}]
            """
        let images = try await TaskFixtures.read(text) { file, _ in
            try CaptionDataset(reading: [file])
        }.images
        #expect(images.map(\.path.name) == ["b.bmp", "a.bmp"])
        #expect(images.map(\.captions) == [["man in blue", "the other man"], ["left", "right"]])
        #expect(images.map(\.id) == [0, 1])
    }

    @Test("An item with a missing image is left out, and counts once per text")
    func missing() async throws {
        let text = """
            {"image": "gone", "text": ["p", "q"], "bbox": [0, 0, 900, 900]}
            {"image": "a", "text": "r", "bbox": [0, 0, 1, 1]}
            """
        let some = try await TaskFixtures.read(text, named: "x.jsonl") { file, _ in
            try GroundingDataset(reading: [file], missing: .skipped)
        }
        #expect(some.items.map(\.entry) == ["line 2"] && some.missingCount == 2)
        #expect(some.items[0].proposals.isEmpty)
        await TaskFixtures.expectError("x.jsonl: line 1: the image ", text, named: "x.jsonl") {
            file, _ in try GroundingDataset(reading: [file])
        }
    }

    @Test("A box may extend one pixel beyond its image")
    func tolerance() throws {
        #expect(try box(-1, -1, 10, 10).isInside(width: 8, height: 8))
        #expect(try !box(-1.1, 0, 8, 8).isInside(width: 8, height: 8))
        #expect(try !box(0, -1.1, 8, 8).isInside(width: 8, height: 8))
        #expect(try !box(0, 0, 9.1, 8).isInside(width: 8, height: 8))
        #expect(try !box(0, 1, 8, 8.1).isInside(width: 8, height: 8))
        #expect(BoundingBox(x: 0, y: 0, width: 0, height: 1) == nil)
        #expect(BoundingBox(x: 0, y: 0, width: 1, height: -1) == nil)
        #expect(BoundingBox(x: .infinity, y: 0, width: 1, height: 1) == nil)
        #expect(BoundingBox(x: 0, y: 0, width: 1, height: .nan) == nil)
    }

    @Test(
        "Errors of records name the file, the record and the field",
        arguments: [
            (
                #"[{"image": "a", "text": "p", "bbox": [1, 2, 3]}]"#,
                "x.json: [0].bbox: has 3 numbers, but needs four: [x, y, width, height]"
            ),
            (
                #"[{"image": "a", "text": "p", "bbox": [1, 2, 3, 4, 5]}]"#,
                "x.json: [0].bbox: has 5 numbers, but needs four"
            ),
            (
                #"[{"image": "a", "text": "p", "bbox": [1, 2, 0, 4]}]"#,
                "x.json: [0].bbox: the box 1.0, 2.0, 0.0, 4.0 has no pixels; its width and height"
            ),
            (
                #"{"image": "a", "text": "p", "bbox": [1, 2, 3, -4]}"#,
                "x.json:1: bbox: the box 1.0, 2.0, 3.0, -4.0 has no pixels"
            ),
            (
                #"{"image": "a", "text": "p", "bbox": [4, 4, 6, 4]}"#,
                "x.json:1: bbox: the box 4.0, 4.0, 6.0, 4.0 extends beyond the image "
            ),
            (
                #"[{"image": "a", "text": "p", "bbox": [-2, 0, 3, 3]}]"#,
                "a.bmp, which has 8 x 8 pixels"
            ),
            (
                #"[{"image": "a", "text": "p", "bbox": [1, 2, 3, "4"]}]"#,
                "x.json: [0].bbox[3]: "
            ),
            (
                #"[{"image": "a", "text": "p"}]"#,
                "x.json: [0].bbox: is missing; add the box [x, y, width, height] that the text"
            ),
            (
                #"[{"image": "a", "text": [], "bbox": [0, 0, 1, 1]}]"#,
                "x.json: [0].text: has no text"
            ),
            (
                #"[{"image": "a", "text": ["p", ""], "bbox": [0, 0, 1, 1]}]"#,
                "x.json: [0].text: contains a blank text"
            ),
            (
                #"[{"image": "x.json", "text": "p", "bbox": [0, 0, 1, 1]}]"#,
                "x.json: is not an image of a known format"
            ),
        ])
    func errors(_ text: String, _ expected: String) async {
        await TaskFixtures.expectError(expected, text) { file, _ in
            try GroundingDataset(reading: [file])
        }
    }

    @Test(
        "Errors of proposals name the file, the image and the box",
        arguments: [
            ("", "dets.json: is empty"),
            ("[[1, 2, 3, 4]]", "dets.json: is not a JSON object with a list of boxes for each"),
            (#"{"a": [[0, 0, 1, 1], [0, 0, 1]]}"#, "dets.json: a[1]: has 3 numbers, but needs"),
            (#"{"a": [[0, 0, 1, 0]]}"#, "dets.json: a[0]: the box 0.0, 0.0, 1.0, 0.0 has no"),
            (#"{"a": [0, 0, 1, 1]}"#, "dets.json: a[0]"),
            (#"{"a": {"box": []}}"#, "dets.json: a: "),
            (#"{"a": [[0, 0, 1, 1]"#, "dets.json:"),
            (#"{"a": [[0, 0, 1, 1], [7, 7, 1, 4]]}"#, "dets.json: a[1]: the box 7.0, 7.0, 1.0"),
            (#"{"b": []}"#, "x.json: [0].image: 'a.bmp' has no boxes in "),
        ])
    func proposals(_ detected: String, _ expected: String) async {
        let text = #"[{"image": "a.bmp", "text": "p", "bbox": [0, 0, 1, 1]}]"#
        await TaskFixtures.expectError(expected, text) { file, folder in
            let proposals = try DatasetFixtures.write(detected, to: folder.appending("dets.json"))
            return try GroundingDataset(
                reading: [file], proposals: BoxProposals(reading: proposals))
        }
    }
}
