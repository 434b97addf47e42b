import ImageText
import SystemPackage
import Testing

@Suite("Boxes")
struct BoundingBoxTests {
    private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) throws
        -> BoundingBox
    {
        try #require(BoundingBox(x: x, y: y, width: width, height: height))
    }

    @Test("Intersection over union of boxes by hand")
    func examples() throws {
        let square = try box(0, 0, 10, 10)
        #expect(square.intersectionOverUnion(try box(5, 0, 10, 10)) == 1.0 / 3)
        #expect(square.intersectionOverUnion(try box(0, 0, 10, 5)) == 0.5)
        #expect(square.intersectionOverUnion(try box(2, 2, 5, 4)) == 0.2)
        #expect(square.intersectionOverUnion(try box(10, 0, 10, 10)) == 0)
        #expect(square.intersectionOverUnion(try box(-30, 50, 1, 1)) == 0)
        #expect(square.intersectionOverUnion(try box(9, 9, 2, 2)) == 1 / 103.0)
    }

    @Test("It is symmetric, from 0 to 1, and 1 only for the box itself")
    func properties() throws {
        var random = SplitMix64(seed: 11)
        func sample() throws -> BoundingBox {
            func number(_ range: ClosedRange<Double>) -> Double {
                Double.random(in: range, using: &random)
            }
            return try box(number(-9...9), number(-9...9), number(0.01...20), number(0.01...20))
        }
        var overlapping = 0
        for _ in 0..<2000 {
            let (one, other) = (try sample(), try sample())
            let share = one.intersectionOverUnion(other)
            #expect(share == other.intersectionOverUnion(one))
            #expect((0..<1).contains(share))
            #expect(one.intersectionOverUnion(one) == 1)
            // Moved and scaled together, boxes overlap as much.
            let moved = { (box: BoundingBox) in
                BoundingBox(
                    x: box.x * 4 + 64, y: box.y * 4 - 8, width: box.width * 4,
                    height: box.height * 4)
            }
            let again = try #require(moved(one)).intersectionOverUnion(try #require(moved(other)))
            #expect(abs(again - share) < 1e-9)
            overlapping += share > 0 ? 1 : 0
        }
        #expect(overlapping > 500 && overlapping < 2000)
    }

    @Test("Boxes whose areas overflow or vanish")
    func extremes() throws {
        let (huge, tiny) = (try box(0, 0, 1e300, 1e300), try box(0, 0, 1e-300, 1e-300))
        #expect(huge.intersectionOverUnion(huge) == 1 && tiny.intersectionOverUnion(tiny) == 1)
        #expect(huge.intersectionOverUnion(tiny) == 0)
        #expect(tiny.intersectionOverUnion(huge) == 0)
    }

    @Test("The boxes of one image are a list, or found by its name")
    func ofOneImage() async throws {
        for text in ["[[1, 2, 3, 4], [0, 0, 8, 8, 0.9]]", #"{"a": [[1, 2, 3, 4], [0, 0, 8, 8]]}"#] {
            let boxes = try await TaskFixtures.read(text) { file, folder in
                try BoxProposals.boxes(
                    in: file, of: folder.appending("a.bmp"), width: 8, height: 8)
            }
            #expect(boxes == [try box(1, 2, 3, 4), try box(0, 0, 8, 8)])
        }
        let none = try await TaskFixtures.read("[]") { file, _ in
            try BoxProposals.boxes(in: file, of: "a.bmp", width: 8, height: 8)
        }
        #expect(none.isEmpty)
    }

    @Test(
        "Errors about the boxes of one image name the file and the box",
        arguments: [
            (" ", "x.json: is empty"),
            (#"{"b": []}"#, "x.json: has no boxes of 'a.bmp'"),
            ("7", "x.json: is neither a JSON list of boxes nor an object"),
            ("[[1, 2, 3, 4], [0, 0, 1]]", "x.json: [1]: has 3 numbers, but needs four"),
            ("[[1, 2, 3, 9]]", "x.json: [0]: the box 1.0, 2.0, 3.0, 9.0 extends beyond the image"),
            (#"{"a": [[0, 0, 9.1, 1]]}"#, "x.json: a[0]: the box 0.0, 0.0, 9.1, 1.0 extends"),
        ])
    func errors(_ text: String, _ expected: String) async {
        await TaskFixtures.expectError(expected, text) { file, _ in
            try BoxProposals.boxes(in: file, of: "a.bmp", width: 8, height: 8)
        }
    }
}
