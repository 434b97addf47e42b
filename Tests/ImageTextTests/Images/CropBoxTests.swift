import ImageText
import Testing

@Suite("Boxes")
struct CropBoxTests {
    /// Returns an image whose samples encode their position.
    private let image = RGBImage(
        width: 5, height: 4,
        pixels: (0..<4).flatMap { row in
            (0..<5).flatMap { column in [UInt8(row + 1), UInt8(column + 1), 200] }
        })

    @Test(
        "A crop is black beyond the edges of the image",
        arguments: [
            (1, 1, 3, 2), (0, 0, 5, 4), (4, 3, 1, 1), (-2, -1, 4, 3), (3, 2, 9, 9),
            (-9, -9, 40, 40),
        ])
    func crops(x: Int, y: Int, width: Int, height: Int) throws {
        let box = try #require(
            CropBox(x: Double(x), y: Double(y), width: Double(width), height: Double(height)))
        let part = try image.cropped(to: box, named: "it")
        #expect(part.width == width && part.height == height)
        for row in 0..<height {
            for column in 0..<width {
                let (r, c) = (y + row, x + column)
                let isInside = (0..<4).contains(r) && (0..<5).contains(c)
                let expected: [UInt8] = isInside ? [UInt8(r + 1), UInt8(c + 1), 200] : [0, 0, 0]
                let start = (row * width + column) * 3
                #expect(Array(part.pixels[start..<start + 3]) == expected, "\(row), \(column)")
            }
        }
    }

    @Test("A box outside the image is an error that names both")
    func outside() throws {
        for (x, y) in [(5.0, 0.0), (0, 4), (-3, 0), (0, -3)] {
            let box = try #require(CropBox(x: x, y: y, width: 3, height: 3))
            #expect {
                try image.cropped(to: box, named: "a.jpg")
            } throws: {
                "\($0)" == "a.jpg: has 5 x 4 pixels, none of which lies in the box \(box)"
            }
        }
    }

    @Test("Corners are rounded as in Python")
    func rounding() throws {
        // round(0.5) is 0, round(1.5) is 2, round(0.5 + 2) is 2, round(1.5 + 2.2) is 4.
        let box = try #require(CropBox(x: 0.5, y: 1.5, width: 2, height: 2.2))
        #expect(box.description == "0, 2, 2, 2")
    }

    @Test(
        "Invalid numbers yield no box",
        arguments: [
            (0, 0, 0, 1), (0, 0, 1, -1), (0, 0, 0.2, 1), (.nan, 0, 1, 1), (0, .infinity, 1, 1),
            (0, 0, 1e300, 1), (-1e7, 0, 2e7, 1), (0, 0, 900_000, 900_000),
        ] as [(Double, Double, Double, Double)])
    func refused(x: Double, y: Double, width: Double, height: Double) {
        #expect(CropBox(x: x, y: y, width: width, height: height) == nil)
    }
}
